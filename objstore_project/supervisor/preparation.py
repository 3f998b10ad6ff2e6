"""What must be true of the database and the data directory before the processes start; each step may run again."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, connections

from accesscontrol.services import ensure_built_in_policies, ensure_root
from chunks import topology
from chunks.durability_report import describe_schemes
from chunks.services import create_default_topology
from journal.archive import find_records, local_stores
from journal.databases import connect
from journal.record_format import RecordKind
from journal.services.emptiness import is_empty, is_incomplete
from journal.services.writing import catch_up, end_journal
from journal.stream import why_not_stream
from objstore_project.environment import ConfigurationError
from objstore_project.supervisor.credentials import Credentials
from objstore_project.supervisor.postgresql import ensure_database
from workers.services import ensure_schedule

logger = logging.getLogger("objstore.preparation")

# Any number will do that nothing else locks: "objstore" in ASCII.
MIGRATION_LOCK = int.from_bytes(b"objstore")


def prepare(credentials: Credentials) -> None:
    """Bring database, accounts, topology and static files up to date."""
    if settings.OBJSTORE_IS_DATABASE_EMBEDDED:
        ensure_database(settings.OBJSTORE_RUNTIME_DIR)
    with connection.cursor() as cursor:
        # Two systems on one database may start at once; the second waits, and finds nothing left to do.
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    check_restored()
    catch_up()
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.OBJSTORE_JOURNAL:
        end_journal()
    elif settings.OBJSTORE_JOURNAL_REQUIRED:
        check_journal()
    ensure_built_in_policies()
    ensure_root(
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        admin_user=credentials.admin_user,
        admin_password=credentials.admin_password,
    )
    create_default_topology(settings.OBJSTORE_DATA_DIR)
    for line in describe_schemes(topology.current()):
        logger.info("%s", line)
    ensure_schedule()
    connections.close_all()
    collect_static_files(settings.STATIC_ROOT)


def check_restored() -> None:
    """Refuse to begin anew on nodes that hold what a lost database can be restored from, and to run half a restore."""
    with connect() as database:
        if is_incomplete(database):
            raise ConfigurationError("a restore was begun and not finished: run `manage.py restore_metadata` again")
        if not is_empty(database):
            return
    found = find_records(local_stores(settings.OBJSTORE_DATA_DIR / "nodes"))
    if any(name.kind is RecordKind.MANIFEST for name in found.holders):
        raise ConfigurationError(
            f"the database is empty, and the nodes in {settings.OBJSTORE_DATA_DIR / 'nodes'} hold what it can be rebuilt"
            " from: run `manage.py restore_metadata` (or, to lose it all, move the nodes away)"
        )


def check_journal() -> None:
    """Refuse a database server that does not let every commit be journaled."""
    obstacle = why_not_stream()
    if obstacle:
        raise ConfigurationError(f"OBJSTORE_JOURNAL: every commit is required to be journaled, and {obstacle}")


def collect_static_files(directory: Path) -> None:
    """Collect the console's static files where any of them changed since the last time."""
    stamp = directory / ".collected"
    digest = static_files_digest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(digest, encoding="ascii")


def static_files_digest() -> str:
    """Return a digest over names, sizes and times of all static files: some hundred look-ups."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
