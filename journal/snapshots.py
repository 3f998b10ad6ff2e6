"""A snapshot: all rows of all tables as of one position, streamed to the nodes in parts of some MiB.

Between two commits: the server exports a snapshot in which just what was committed before the position is visible, so that
the changes since then fit without overlap. An overlap would not do: a row applied twice in different states breaks
constraints that each state keeps. Readers and writers go on; vacuum waits until the snapshot is taken.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings
from psycopg.sql import SQL, Composed, Identifier

from chunks import topology as topologies
from chunks.records import MEBIBYTE
from chunks.throttle import Throttle
from journal.archive import keep_record
from journal.databases import connect
from journal.record_format import Frame, RecordKind, RecordName, build_frame, build_record
from journal.stream import ReplicationConnection
from journal.tables import Connection, Table, list_migrations, list_partitions, list_sequences, list_tables

FRAME_BYTES = 1 << 20  # of rows, before they are compressed
PART_BYTES = 8 << 20
TABLE_NUMBER_BYTES = 2
WRITERS_SECONDS_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that is on the nodes."""

    number: int
    lsn: int
    taken_at: datetime
    size_bytes: int
    row_count: int
    schema: str
    holder_ids: tuple[int, ...]


@dataclass(slots=True)
class _Parts:
    """Frames on their way to the nodes; at most one part is in memory."""

    lineage: str
    number: int
    frames: list[Frame] = field(default_factory=list)
    frames_bytes: int = 0
    sizes: list[int] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.frames_bytes += len(frame.data)
        if self.frames_bytes >= PART_BYTES:
            self.keep()

    def keep(self) -> None:
        if not self.frames:
            return
        name = RecordName(self.lineage, RecordKind.PART, self.number, len(self.sizes))
        buffers = build_record(RecordKind.PART, {"snapshot": self.number, "part": len(self.sizes)}, self.frames)
        keep_record(name, buffers, topology=topologies.current(), copies=settings.OBJSTORE_JOURNAL_COPIES)
        self.sizes.append(sum(map(len, buffers)))
        self.frames, self.frames_bytes = [], 0


def take_snapshot(*, lineage: str, number: int, temporary_slot: str | None) -> Snapshot:
    """Write a snapshot to the nodes. Without a slot, its position is only one before which it holds everything."""
    with connect() as connection:
        lsn = _begin_exactly(connection, temporary_slot) if temporary_slot else _begin_after_writers(connection)
        taken_at: datetime = connection.execute("SELECT clock_timestamp()").fetchone()[0]  # type: ignore[index]
        tables = list_tables(connection)
        parts = _Parts(lineage, number)
        throttle = Throttle(settings.OBJSTORE_JOURNAL_MIB_PER_SECOND * MEBIBYTE)
        counts = [
            _keep_rows(connection, table_number, table, parts, throttle) for table_number, table in enumerate(tables)
        ]
        parts.keep()
        migrations = list_migrations(connection)
        header: dict[str, Any] = {
            "lineage": lineage,
            "snapshot": number,
            "lsn": lsn,
            "taken_at": taken_at.isoformat(),
            "migrations": migrations,
            "tables": [{**table.document(), "rows": rows} for table, rows in zip(tables, counts, strict=True)],
            "partitions": [[one.parent, one.name, one.bound] for one in list_partitions(connection)],
            "sequences": list_sequences(connection),
            "part_sizes": parts.sizes,
            "key_check": key_check(),
        }
        connection.execute("COMMIT")
    buffers = build_record(RecordKind.MANIFEST, header)
    name = RecordName(lineage, RecordKind.MANIFEST, number)
    holders = keep_record(name, buffers, topology=topologies.current(), copies=settings.OBJSTORE_JOURNAL_COPIES)
    size_bytes = sum(parts.sizes) + sum(map(len, buffers))
    return Snapshot(number, lsn, taken_at, size_bytes, sum(counts), schema_digest(migrations), tuple(holders))


def _begin_exactly(connection: Connection, temporary_slot: str) -> int:
    with ReplicationConnection() as exporter:
        lsn, snapshot = exporter.export_snapshot(temporary_slot)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    return lsn


def _begin_after_writers(connection: Connection) -> int:
    """Begin once all that writes now has ended: a commit is in the log a moment before it is visible."""
    row = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    # A number drawn now is above those of all writers; the end of a snapshot is not, where the newest is just committing.
    limit = connection.execute("SELECT pg_current_xact_id()::text::numeric").fetchone()
    deadline = time.monotonic() + WRITERS_SECONDS_MAX
    ended = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= %s"
    while not connection.execute(ended, limit).fetchone()[0]:  # type: ignore[index]
        if time.monotonic() > deadline:
            raise TimeoutError(f"a transaction has been writing for {WRITERS_SECONDS_MAX:.0f} seconds")
        time.sleep(0.05)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return int(row[0])


def _keep_rows(connection: Connection, table_number: int, table: Table, parts: _Parts, throttle: Throttle) -> int:
    """Write all rows of a table, a frame at a time; return how many. The throttle counts them as the server prints them."""
    number = table_number.to_bytes(TABLE_NUMBER_BYTES, "little")
    row_count, size_bytes, rows = 0, 0, [number]
    for row in _copy_out(connection, table):
        rows.append(row)
        row_count += 1
        size_bytes += len(row)
        if size_bytes >= FRAME_BYTES:
            parts.add(build_frame(rows))
            throttle.spend(size_bytes)
            size_bytes, rows = 0, [number]
    if size_bytes:
        parts.add(build_frame(rows))
    return row_count


def _copy_out(connection: Connection, table: Table) -> Iterator[bytes]:
    with connection.cursor() as cursor, cursor.copy(_copy_statement(table)) as copy:
        for row in copy:
            yield bytes(row)


def _copy_statement(table: Table) -> Composed:
    columns = SQL(", ").join(map(Identifier, table.columns))
    return SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, Identifier(table.name))


def schema_digest(migrations: Sequence[Sequence[str]]) -> str:
    """Return a digest that changes with the migrations that are applied."""
    return sha256(repr(sorted(map(tuple, migrations))).encode()).hexdigest()[:16]


def key_check() -> str:
    """Return a digest that tells, when restoring, whether the secret key is the one that sealed what is sealed."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"objstore: the key of this journal", "sha256").hex()[:16]
