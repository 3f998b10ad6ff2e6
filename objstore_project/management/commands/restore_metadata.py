"""`manage.py restore_metadata`: rebuild a lost database from what the nodes keep."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from chunks import topology
from chunks.errors import ChunkError
from chunks.management.storage_arguments import add_storage_arguments, storage_options
from chunks.models import Node
from chunks.services import adopt_moved_fragments
from chunks.stores.django_storage import open_unknown_storage
from chunks.stores.protocol import FragmentStore
from journal.archive import local_store, local_stores
from journal.record_format import RecordDamaged
from journal.services.backups import NothingToRestore, Stores
from journal.services.emptiness import NotEmpty
from journal.services.restoring import Restored, restore
from objstore_project.audited_commands import audit_command
from objstore_project.management.commands.up import SERVERS_START_SECONDS, embedded_servers
from objstore_project.supervisor.data_lock import hold_data_directory
from objstore_project.supervisor.output import JoinedLog
from objstore_project.supervisor.postgresql import ensure_database
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.programs import STOP_ORDER
from objstore_project.supervisor.supervisor import StartFailed, StopRequested, Supervisor


class Command(BaseCommand):
    """Fill the empty database; start the embedded server for that long where the database is embedded."""

    help = (
        "Rebuild the empty database from the journal that the nodes keep: the newest snapshot and all changes since."
        " Stop `manage.py up` first, and start it again afterwards."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--node",
            metavar="PATH",
            type=Path,
            action="append",
            help="a directory of a node, as often as there are some; without it, all under the data directory",
        )
        add_storage_arguments(parser)
        parser.add_argument("--until", metavar="TIME", type=_time, help="leave out what was committed later (ISO 8601)")
        parser.add_argument("--lineage", help="of which journal, where nodes hold several (default: the newest)")
        parser.add_argument("--no-fsck", action="store_true", help="don't compare database and nodes afterwards")

    def handle(self, *_: Any, **options: Any) -> None:
        """Restore, and tell how far."""
        if not settings.OBJSTORE_IS_DATABASE_EMBEDDED:
            self._restore(options)
            return
        (settings.OBJSTORE_DATA_DIR / "run").mkdir(mode=0o700, exist_ok=True)
        with hold_data_directory(settings.OBJSTORE_DATA_DIR):
            sys.exit(self._run_with_servers(options))

    def _run_with_servers(self, options: dict[str, Any]) -> int:
        log = JoinedLog(sys.stdout.fileno(), is_json=settings.OBJSTORE_LOG_FORMAT == "json", is_coloured=False)
        servers = [program for program in embedded_servers() if program.name == "postgresql"]
        supervisor = Supervisor(log)
        supervisor.take_signals()
        try:
            supervisor.start(servers, timeout_seconds=SERVERS_START_SECONDS)
            supervisor.run_to_end(
                Program(name="restore", function=lambda: self._restore_in_child(options), environment=os.environ)
            )
        except StopRequested:
            log.say("stopped; run this again: a restore that was begun starts anew")
            return 1
        except StartFailed:
            return 1  # what is wrong stands above
        finally:
            supervisor.stop((("restore",), *STOP_ORDER))
        return 0

    def _restore_in_child(self, options: dict[str, Any]) -> None:
        try:
            self._restore(options)
        except CommandError as error:
            raise SystemExit(f"cannot restore: {error}") from None

    def _restore(self, options: dict[str, Any]) -> None:
        stores, directories = _stores(options)
        if settings.OBJSTORE_IS_DATABASE_EMBEDDED:
            ensure_database(settings.OBJSTORE_RUNTIME_DIR)
        try:
            restored = restore(stores, lineage=options["lineage"], until=options["until"], report=self._say)
        except NotEmpty as error:
            raise CommandError(f"{error}: nothing is changed. A database is restored into an empty one") from error
        except (NothingToRestore, RecordDamaged) as error:
            raise CommandError(str(error)) from error
        _relocate_nodes(directories)
        topology.refresh()
        adopted = adopt_moved_fragments()
        self._tell(restored, adopted)
        audit_command("restore_metadata", options)
        connections.close_all()
        if not options["no_fsck"]:
            self._check()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _tell(self, restored: Restored, adopted: int) -> None:
        applied = restored.applied
        self._say(
            f"restored lineage {restored.lineage}: {restored.rows:,} rows of the snapshot of {restored.snapshot_at},"
            f" {applied.transactions:,} transactions with {applied.changes:,} changes since"
        )
        self._say(f"the last commit that is back: {restored.up_to.isoformat()}")
        if applied.without_table:
            self._say(f"{applied.without_table:,} changes were to tables that this release does not have")
        if adopted:
            self._say(f"{adopted:,} fragments had moved since; their rows follow them")
        if restored.gap:
            self._say(f"INCOMPLETE: {restored.gap}; nothing after that is restored")
        if restored.is_lineage_kept:
            self._say(
                f"the journal {restored.lineage} stays on the nodes, since not all of it was taken; when you need it no"
                f" more: manage.py forget_journal {restored.lineage}"
            )

    def _check(self) -> None:
        self._say("comparing database and nodes (fsck)")
        try:
            call_command("fsck", "--without-journal", stdout=self.stdout, stderr=self.stderr)
        except SystemExit:
            self._say("the database is restored; what fsck found is listed above, and the repairer works it off")


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no time like 2026-01-31T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _stores(options: dict[str, Any]) -> tuple[Stores, list[Path]]:
    """Return where to look, and which of that are directories."""
    nodes_directory = settings.OBJSTORE_DATA_DIR / "nodes"
    stores: dict[str, Callable[[], FragmentStore]] = {}
    if options["storage"]:
        told = storage_options(options)
        stores[options["storage"]] = cache(lambda: open_unknown_storage(options["storage"], told))
    if options["node"] is None:
        local = local_stores(nodes_directory)
    else:
        local = {str(path.resolve()): local_store(path.resolve()) for path in options["node"]}
    stores |= local
    if not stores:
        raise CommandError(f"there is no node in {nodes_directory}: name some with --node or --storage")
    return stores, [Path(label) for label in local]


def _relocate_nodes(directories: list[Path]) -> None:
    """Let the rows of nodes follow directories that have moved."""
    for directory in directories:
        try:
            identity = local_store(directory.resolve())().check_identity()
        except ChunkError:
            continue
        Node.objects.filter(identity=identity).exclude(location=str(directory.resolve())).update(
            location=str(directory.resolve())
        )
