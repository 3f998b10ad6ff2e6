"""Rebuild an empty database from what nodes keep: the newest snapshot, and every change since that is there.

The database is migrated to where it was when the snapshot was taken, filled, brought forward change by change (through the
migrations that were applied on the way), and migrated to this release in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor
from psycopg.sql import SQL, Identifier

from chunks.stores.protocol import FragmentStore
from journal.archive import Found, find_records, read_record
from journal.databases import connect_to_restore
from journal.pgoutput import RELATION, Message, Relation, parse_message
from journal.record_format import Record, RecordDamaged, RecordKind, RecordName, split_messages
from journal.replay import Applied, ChangesMissing, Replay
from journal.services.emptiness import mark_complete, mark_incomplete
from journal.services.state import begin_after_restore
from journal.snapshots import TABLE_NUMBER_BYTES, key_check
from journal.tables import Connection, list_partitions, list_tables

SEQUENCE_HEADROOM = 1_000  # or as much as was used: a sequence of small numbers has an end

Stores = Mapping[str, Callable[[], FragmentStore]]
Report = Callable[[str], None]


class NothingToRestore(Exception):
    """No node has what a restore needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A snapshot that is whole as far as listings tell, and the segments of its lineage."""

    manifest: Mapping[str, Any]
    parts: tuple[RecordName, ...]
    segments: Mapping[int, Sequence[RecordName]]  # by number; the revisions of each, newest first

    @property
    def lineage(self) -> str:
        """The lineage as names show it."""
        return str(self.manifest["lineage"])

    @property
    def taken_at(self) -> datetime:
        """When the snapshot was taken."""
        return datetime.fromisoformat(self.manifest["taken_at"])


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `gap` says what is missing after it, if something is."""

    lineage: str
    snapshot_at: datetime
    rows: int
    applied: Applied
    gap: str
    is_key_the_same: bool

    @property
    def up_to(self) -> datetime:
        """When the last transaction committed that is back."""
        return self.applied.last_commit_at or self.snapshot_at


def find_backups(stores: Stores, found: Found) -> list[Backup]:
    """Return the newest usable snapshot of each lineage, the newest of them all first."""
    backups = []
    for lineage in {name.lineage for name in found.holders}:
        names = [name for name in found.holders if name.lineage == lineage]
        manifests = sorted((name for name in names if name.kind is RecordKind.MANIFEST), reverse=True)
        for name in manifests:
            try:
                manifest = read_record(name, found.holders[name], stores).header
            except RecordDamaged:
                continue
            parts = tuple(
                RecordName(lineage, RecordKind.PART, name.number, number)
                for number in range(len(manifest["part_sizes"]))
            )
            if all(part in found.holders for part in parts):
                backups.append(Backup(manifest, parts, _segments(names)))
                break
    return sorted(backups, key=lambda backup: backup.taken_at, reverse=True)


def _segments(names: Sequence[RecordName]) -> dict[int, list[RecordName]]:
    segments: dict[int, list[RecordName]] = {}
    for name in sorted((name for name in names if name.kind is RecordKind.SEGMENT), reverse=True):
        segments.setdefault(name.number, []).append(name)
    return dict(sorted(segments.items()))


def restore(
    stores: Stores, *, lineage: str | None = None, until: datetime | None = None, report: Report = lambda _: None
) -> Restored:
    """Fill the empty database. NothingToRestore, NotEmpty; RecordDamaged where the snapshot cannot be read."""
    found = find_records(stores, is_thorough=True)
    for label, error in found.unreachable.items():
        report(f"{label} cannot be looked at: {error}")
    backup = _choose(find_backups(stores, found), lineage, until, report)
    with connect_to_restore() as connection:
        mark_incomplete(connection)
        restoring = _Restoring(connection, stores, found, backup, report)
        restoring.load_snapshot()
        applied, gap = restoring.replay(until)
        restoring.set_sequences()
        restoring.enable_triggers()
        report("migrating to this release")
        call_command("migrate", interactive=False, verbosity=0)
        restoring.set_sequences()
        begin_after_restore(lineage=_full_lineage(backup.lineage))
        mark_complete(connection)
        return Restored(
            backup.lineage,
            backup.taken_at,
            sum(table["rows"] for table in backup.manifest["tables"]),
            applied,
            gap,
            backup.manifest["key_check"] == key_check(),
        )


def _full_lineage(lineage: str) -> UUID:
    """Return a UUID whose first digits are the lineage: no more of it is in names."""
    return UUID(hex=lineage.ljust(32, "0"))


def _choose(backups: Sequence[Backup], lineage: str | None, until: datetime | None, report: Report) -> Backup:
    for backup in backups:
        report(
            f"lineage {backup.lineage}: snapshot of {backup.taken_at:%Y-%m-%d %H:%M:%S}, {len(backup.segments)} segments"
        )
    chosen = [backup for backup in backups if lineage in {None, backup.lineage}]
    if not chosen:
        raise NothingToRestore(
            "no node has a whole snapshot of the metadata" if not backups else f"there is no {lineage}"
        )
    if until is not None and chosen[0].taken_at > until:
        raise NothingToRestore(f"the oldest snapshot is of {chosen[0].taken_at}, after the time that is asked for")
    return chosen[0]


@dataclass(slots=True)
class _Restoring:
    """The database that is being filled, and what from."""

    connection: Connection
    stores: Stores
    found: Found
    backup: Backup
    report: Report
    sequences: dict[str, int] = field(default_factory=dict)
    _has_disabled_triggers: bool = False

    def read(self, name: RecordName) -> Record:
        return read_record(name, self.found.holders[name], self.stores)

    def load_snapshot(self) -> None:
        """Migrate to where the snapshot was, and put its rows in place of what migrations have made."""
        manifest = self.backup.manifest
        self.report(f"migrating to the schema of the snapshot, {len(manifest['migrations'])} migrations")
        migrate_to(manifest["migrations"])
        self._defer_constraints()
        self.connection.execute("BEGIN")
        self._empty_tables()
        self._make_partitions(manifest["partitions"], is_anew=True)
        for number, name in enumerate(self.backup.parts):
            self.report(f"loading part {number + 1} of {len(self.backup.parts)}")
            self._load(self.read(name), manifest["tables"])
        self.connection.execute("COMMIT")
        self.connection.execute("ANALYZE")
        self.sequences.update(manifest["sequences"])

    def _defer_constraints(self) -> None:
        """Let no trigger fire: what triggers did is in the rows. Foreign keys are checked by none then, and hold."""
        try:
            self.connection.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            # Foreign keys of Django's are checked at commit, and hold there, as they did where the rows come from.
            self._has_disabled_triggers = True
            for table in list_tables(self.connection):
                self.connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier(table.name)))

    def enable_triggers(self) -> None:
        """Undo what was done where the role may not switch them off for itself."""
        for table in list_tables(self.connection) if self._has_disabled_triggers else ():
            self.connection.execute(SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(Identifier(table.name)))

    def _empty_tables(self) -> None:
        names = [Identifier(table.name) for table in list_tables(self.connection)]
        self.connection.execute(SQL("TRUNCATE {} CASCADE").format(SQL(", ").join(names)))

    def _make_partitions(self, partitions: Sequence[Sequence[str]], *, is_anew: bool = False) -> None:
        """Make the parts that tables had; those that migrations have made go first where `is_anew`."""
        present = {one.name: one for one in list_partitions(self.connection)}
        wanted = {name for _, name, _ in partitions}
        for one in present.values() if is_anew else ():
            self.connection.execute(SQL("DROP TABLE {}").format(Identifier(one.name)))
        for parent, name, bound in partitions:
            if (is_anew or name not in present) and name in wanted:
                self.connection.execute(
                    SQL("CREATE TABLE {} PARTITION OF {} {}").format(
                        Identifier(name),
                        Identifier(parent),
                        SQL(bound),  # the words of the server that had it
                    )
                )

    def _load(self, part: Record, tables: Sequence[Mapping[str, Any]]) -> None:
        for content in part.contents():
            table = tables[int.from_bytes(content[:TABLE_NUMBER_BYTES], "little")]
            statement = SQL("COPY {} ({}) FROM STDIN").format(
                Identifier(table["name"]), SQL(", ").join(map(Identifier, table["columns"]))
            )
            with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(content[TABLE_NUMBER_BYTES:])

    def replay(self, until: datetime | None) -> tuple[Applied, str]:
        """Apply the changes since the snapshot; return how far they go and what is missing after that."""
        manifest = self.backup.manifest
        applied = Applied(manifest["lsn"])
        replay = Replay(self.connection, applied, until)
        reached, expected, gap = int(manifest["lsn"]), None, ""
        schema = manifest["migrations"]
        for number, segment in self._readable_segments():
            header = segment.header
            if header["begins_lsn"] > reached or (replay.is_in_transaction and number != expected):
                gap = f"the changes before segment {number} are missing"
                break
            if header["migrations"] != schema and not replay.is_in_transaction:
                schema = header["migrations"]
                self._migrate(schema, replay)
            self._make_partitions(header["partitions"])
            try:
                self._follow_schema(segment, replay)
                for message in self._messages(segment):
                    replay.take(message)
                    if replay.is_over:
                        break
            except (ChangesMissing, RecordDamaged) as error:
                gap = f"segment {number}: {error}"
                break
            if replay.is_over:
                break
            self.sequences.update(header["sequences"])
            reached, expected = max(reached, header["ends_lsn"]), number + 1
            self.report(f"segment {number}: {applied.transactions} transactions, up to {applied.last_commit_at}")
        replay.finish()
        return applied, gap

    def _readable_segments(self) -> Iterator[tuple[int, Record]]:
        """Yield segments in order, each in its newest revision that is intact; one that is not at all is left out."""
        for number, revisions in self.backup.segments.items():
            for name in revisions:
                try:
                    yield number, self.read(name)
                    break
                except RecordDamaged as error:
                    self.report(str(error))

    def _messages(self, segment: Record) -> Iterator[Message]:
        for content in segment.contents():
            for data in split_messages(content):
                message = parse_message(data)
                if message is not None:
                    yield message

    def _migrate(self, migrations: Sequence[Sequence[str]], replay: Replay) -> None:
        replay.finish()
        migrate_to(migrations)
        replay.read_tables()

    def _follow_schema(self, segment: Record, replay: Replay) -> None:
        """Migrate on where changes came under a schema that their segment did not know of yet; later ones do."""
        messages = (data for content in segment.contents() for data in split_messages(content))
        tables = (parse_message(data) for data in messages if data[:1] == RELATION)
        if replay.is_in_transaction or all(replay.knows(one) for one in tables if isinstance(one, Relation)):
            return
        newest = next((record.header["migrations"] for record in self._from_the_newest()), None)
        if newest is not None:
            self._migrate(newest, replay)

    def _from_the_newest(self) -> Iterator[Record]:
        for revisions in reversed(list(self.backup.segments.values())):
            for name in revisions:
                with suppress(RecordDamaged):
                    yield self.read(name)

    def set_sequences(self) -> None:
        """Let every sequence go on after all numbers that are known to have been used, and some more.

        A number that went into what is lost, as into a name or a seal, must not be used again for something else.
        """
        for name, last in self.sequences.items():
            if self.connection.execute("SELECT to_regclass(%s) IS NULL", [f'"{name}"']).fetchone() == (False,):
                self.connection.execute(
                    SQL("SELECT setval({}, {})").format(f'"{name}"', last + min(last, SEQUENCE_HEADROOM))
                )
        for table, column in self.connection.execute(_SEQUENCES).fetchall():
            self.connection.execute(
                SQL(
                    "SELECT setval(s.name, m.last) FROM (SELECT max({}) AS last FROM {}) AS m,"
                    " (SELECT pg_get_serial_sequence({}, {})::regclass AS name) AS s"
                    " WHERE m.last > coalesce(pg_sequence_last_value(s.name), 0)"
                ).format(Identifier(column), Identifier(table), f'"{table}"', column)
            )


_SEQUENCES = """
SELECT c.relname, a.attname
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""


def migrate_to(migrations: Sequence[Sequence[str]]) -> None:
    """Migrate the database to where exactly these migrations are applied, or more. NothingToRestore if one is unknown."""
    executor = MigrationExecutor(django_connection)
    known = set(executor.loader.graph.nodes)
    wanted = [(app, name) for app, name in migrations]
    unknown = [f"{app}.{name}" for app, name in wanted if (app, name) not in known]
    if unknown:
        raise NothingToRestore(f"the metadata is of a newer release than this one, which has no {', '.join(unknown)}")
    graph = executor.loader.graph
    leaves = [one for one in wanted if not {child.key for child in graph.node_map[one].children} & set(wanted)]
    executor.migrate([one for one in leaves if one not in executor.loader.applied_migrations])
    django_connection.close()
