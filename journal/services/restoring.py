"""Rebuild an empty database from what nodes keep: the newest snapshot, and every change since that is there.

The database is migrated to where it was when the snapshot was taken, filled, brought forward change by change (through the
migrations that were applied on the way), and migrated to this release in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management import call_command
from psycopg.sql import SQL, Identifier

from audit.row_text import MESSAGE_PREFIX, unpack
from journal.archive import Found, find_records, read_record
from journal.databases import connect_to_restore
from journal.pgoutput import MESSAGE, RELATION, ApplicationMessage, Message, Relation, parse_message
from journal.record_format import Record, RecordDamaged, RecordName, split_messages
from journal.replay import Applied, ChangesMissing, Replay
from journal.services.backups import Backup, Report, Segment, Stores, choose_backup, find_backups
from journal.services.emptiness import mark_complete, mark_incomplete
from journal.services.schemas import (
    add_partitions,
    empty_tables,
    migrate_to,
    replace_partitions,
    set_sequences,
    switch_triggers_off,
    switch_triggers_on,
)
from journal.services.state import begin_after_restore
from journal.snapshots import TABLE_NUMBER_BYTES, key_check
from journal.tables import Connection


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `gap` says what is missing after it, if something is."""

    lineage: str
    snapshot_at: datetime
    rows: int
    applied: Applied
    gap: str
    is_lineage_kept: bool

    @property
    def up_to(self) -> datetime:
        """When the last transaction committed that is back."""
        return self.applied.last_commit_at or self.snapshot_at


def restore(
    stores: Stores, *, lineage: str | None = None, until: datetime | None = None, report: Report = lambda _: None
) -> Restored:
    """Fill the empty database. NothingToRestore, NotEmpty; RecordDamaged where the snapshot cannot be read."""
    found = find_records(stores, is_thorough=True)
    for label, error in found.unreachable.items():
        report(f"{label} cannot be looked at: {error}")
    backup = choose_backup(find_backups(stores, found), lineage, until, report)
    with connect_to_restore() as connection:
        mark_incomplete(connection)
        restoring = Restoring(connection, stores, found, backup, report)
        applied, gap = restoring.run(until)
        if restoring.key_check != key_check():
            report(
                "WARNING: OBJSTORE_SECRET_KEY (or the file secret-key) is not the one of the lost system: secret access"
                " keys and encrypted objects cannot be opened without that"
            )
        # What only a part was taken of stays on the nodes: there may be more to get out of it.
        is_lineage_kept = bool(gap) or until is not None or bool(found.unreachable)
        begin_after_restore(lineage=None if is_lineage_kept else _full_lineage(backup.lineage))
        mark_complete(connection)
    rows = sum(table["rows"] for table in backup.manifest["tables"])
    return Restored(backup.lineage, backup.taken_at, rows, applied, gap, is_lineage_kept)


def _full_lineage(lineage: str) -> UUID:
    """Return a UUID whose first digits are the lineage: no more of it is in names."""
    return UUID(hex=lineage.ljust(32, "0"))


@dataclass(slots=True)
class Restoring:
    """The database that is being filled, and what from."""

    connection: Connection
    stores: Stores
    found: Found
    backup: Backup
    report: Report
    sequences: dict[str, int] = field(default_factory=dict)
    key_check: str = ""  # of the key under which the newest of what was taken is sealed

    def run(self, until: datetime | None) -> tuple[Applied, str]:
        """Do all of it; return how far the changes go, and what is missing after that."""
        manifest = self.backup.manifest
        self.report(f"migrating to the schema of the snapshot, {len(manifest['migrations'])} migrations")
        migrate_to(manifest["migrations"])
        must_switch_on = switch_triggers_off(self.connection)
        self.load_snapshot()
        applied, gap = self.replay(until)
        set_sequences(self.connection, self.sequences)
        if must_switch_on:
            switch_triggers_on(self.connection)
        self.report("migrating to this release")
        call_command("migrate", interactive=False, verbosity=0)
        set_sequences(self.connection, {})
        return applied, gap

    def load_snapshot(self) -> None:
        """Put the snapshot's rows in place of what migrations have made, in one transaction."""
        manifest = self.backup.manifest
        self.connection.execute("BEGIN")
        empty_tables(self.connection)
        replace_partitions(self.connection, manifest["partitions"])
        for number, name in enumerate(self.backup.parts):
            self.report(f"loading part {number + 1} of {len(self.backup.parts)}")
            for content in self._read(name).contents():
                table = manifest["tables"][int.from_bytes(content[:TABLE_NUMBER_BYTES], "little")]
                self._copy_in(table, content[TABLE_NUMBER_BYTES:])
        self.connection.execute("COMMIT")
        self.connection.execute("ANALYZE")
        self.sequences.update(manifest["sequences"])
        self.key_check = manifest["key_check"]

    def _read(self, name: RecordName) -> Record:
        return read_record(name, self.found.holders[name], self.stores)

    def _copy_in(self, table: Mapping[str, Any], rows: bytes) -> None:
        columns = SQL(", ").join(map(Identifier, table["columns"]))
        statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table["name"]), columns)
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(rows)

    def replay(self, until: datetime | None) -> tuple[Applied, str]:
        """Apply the changes since the snapshot, up to the first that is not there."""
        manifest = self.backup.manifest
        applied = Applied(manifest["lsn"])
        replay = Replay(self.connection, applied, until)
        reached, before, gap = int(manifest["lsn"]), None, ""
        schema = manifest["migrations"]
        for segment, record in self._readable_segments():
            header = record.header
            if header["begins_lsn"] > reached:
                gap = f"the changes before segment {segment.number} are missing"
                break
            if not segment.follows(before):
                replay.abandon()
            if header["migrations"] != schema and not replay.is_in_transaction:
                schema = header["migrations"]
                self._migrate(schema, replay)
            if not replay.is_in_transaction:
                replay.flush()
                add_partitions(self.connection, header["partitions"])
            try:
                self._apply(record, replay)
            except (ChangesMissing, RecordDamaged) as error:
                gap = f"segment {segment.number}: {error}"
                break
            if replay.is_over:
                break
            self.sequences.update(header["sequences"])
            self.key_check = header["key_check"]
            reached, before = max(reached, header["ends_lsn"]), segment
            self.report(
                f"segment {segment.number}: {applied.transactions} transactions, up to {applied.last_commit_at}"
            )
        replay.finish()
        return applied, gap

    def _readable_segments(self) -> Iterator[tuple[Segment, Record]]:
        """Yield segments in order, each in its newest revision that is intact; one that is not at all is left out."""
        for segment in self.backup.segments:
            for name in segment.revisions:
                try:
                    yield segment, self._read(name)
                    break
                except RecordDamaged as error:
                    self.report(str(error))

    def _apply(self, record: Record, replay: Replay) -> None:
        self._follow_schema(record, replay)
        for message in _messages(record):
            replay.take(message)
            if replay.is_over:
                return

    def _migrate(self, migrations: Sequence[Sequence[str]], replay: Replay) -> None:
        replay.finish()
        migrate_to(migrations)
        replay.read_tables()

    def _follow_schema(self, record: Record, replay: Replay) -> None:
        """Migrate on where changes came under a schema that their segment did not know of yet; later ones do."""
        if replay.is_in_transaction or all(replay.knows(*seen) for seen in _tables_of(record)):
            return
        newest = next((found.header["migrations"] for found in self._from_the_newest()), None)
        if newest is not None:
            self._migrate(newest, replay)

    def _from_the_newest(self) -> Iterator[Record]:
        for segment in reversed(self.backup.segments):
            for name in segment.revisions:
                with suppress(RecordDamaged):
                    yield self._read(name)


def _tables_of(record: Record) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the tables, with their columns, as the changes of a segment see them."""
    for message in _messages(record, kinds=(RELATION, MESSAGE)):
        if isinstance(message, Relation):
            yield message.name, message.columns
        elif isinstance(message, ApplicationMessage) and message.prefix == MESSAGE_PREFIX:
            with suppress(ValueError):  # whoever applies it says so
                batch = unpack(message.content)
                yield batch.table, batch.columns


def _messages(record: Record, *, kinds: tuple[bytes, ...] = (b"",)) -> Iterator[Message]:
    """Yield the messages of a segment, or those of some kinds."""
    for content in record.contents():
        for data in split_messages(content):
            if data.startswith(kinds):
                message = parse_message(data)
                if message is not None:
                    yield message
