"""A stream of committed changes from the server: logical decoding over the replication protocol.

psycopg has no words for this protocol; the wrapper of libpq under it is all that is needed. Each commit is decoded once,
and the server keeps its log until the position is confirmed.
https://www.postgresql.org/docs/current/protocol-replication.html
"""

from __future__ import annotations

import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from django.db import connection
from psycopg.pq import ConnStatus, ExecStatus, PGconn

from journal.databases import conninfo
from journal.pgoutput import format_lsn, parse_lsn
from journal.tables import PUBLICATION

_KEEPALIVE = struct.Struct(">cQqB")
_DATA_HEADER_BYTES = 25  # the letter, two positions, a time
_STATUS = struct.Struct(">cQQQqB")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
# The server sends each change as it decodes it. While few come, a nap lets some gather, so that not each wakes this process.
NAP_SECONDS = 0.02
FEW = 50
STATUS_SECONDS = 10.0  # the server gives up on a receiver that says nothing for a minute


class StreamBroken(Exception):
    """The server refused or ended the stream; the message says why."""


@dataclass(frozen=True, slots=True)
class Position:
    """The server has sent all that was committed before this position."""

    lsn: int


_RIGHTS = """
SELECT current_setting('wal_level'), rolsuper OR rolreplication, rolname FROM pg_roles WHERE rolname = current_user
"""


def why_not_stream() -> str:
    """Return what keeps the server from decoding its log for us, in one line; empty where nothing is known to.

    Some services let roles without REPLICATION replicate, so a role without it tries.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS)
        wal_level, has_right, role = cursor.fetchone()
    if wal_level != "logical":
        return f"the server's wal_level is {wal_level}, not logical"
    if not has_right:
        try:
            with ReplicationConnection() as tried:
                tried.system_identifier()
        except StreamBroken as error:
            return f"the role {role} has no right to replicate (ALTER ROLE {role} REPLICATION): {error}"
    return ""


class ReplicationConnection:
    """A connection that speaks the replication protocol."""

    def __init__(self) -> None:
        self._pg = PGconn.connect(conninfo(is_replication=True).encode())
        if self._pg.status != ConnStatus.OK:
            raise StreamBroken(self._error())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, and with it temporary slots and exported snapshots."""
        self._pg.finish()

    def system_identifier(self) -> str:
        """Return what names the server's data and its timeline: positions compare within one alone."""
        row = self._ask("IDENTIFY_SYSTEM")
        return f"{row[0]}/{row[1]}"

    def create_slot(self, name: str) -> int:
        """Make the server remember, from now on, what this receiver has; return the position."""
        return parse_lsn(self._ask(f"CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput (SNAPSHOT 'nothing')")[1])

    def export_snapshot(self, name: str) -> tuple[int, str]:
        """Return a position, and the name of a snapshot in which just the commits before it are visible.

        Both last as long as the connection. Waits for the transactions that are under way.
        """
        row = self._ask(f"CREATE_REPLICATION_SLOT {name} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'export')")
        return parse_lsn(row[1]), row[2]

    def _ask(self, command: str) -> list[str]:
        result = self._pg.exec_(command.encode())
        if result.status != ExecStatus.TUPLES_OK or result.ntuples != 1:
            raise StreamBroken(self._error())
        return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]

    def _error(self) -> str:
        text = self._pg.error_message.decode("utf-8", "replace")
        return " ".join(text.split()) or "the server closed the connection"


class ChangeStream(ReplicationConnection):
    """The changes from a position on."""

    def start(self, slot: str, lsn: int) -> None:
        """Begin to receive what was committed since `lsn`, or since the slot's own position if that is later."""
        command = (
            f"START_REPLICATION SLOT {slot} LOGICAL {format_lsn(lsn)}"
            f" (proto_version '1', publication_names '{PUBLICATION}', messages 'true')"
        )
        if self._pg.exec_(command.encode()).status != ExecStatus.COPY_BOTH:
            raise StreamBroken(self._error())
        self._confirmed_lsn = 0
        self._said_at = 0.0
        self._come_count = 0  # since the last wait

    def receive(self, *, wait_seconds: float, count_max: int) -> Iterator[bytes | Position]:
        """Yield messages that have come, or come within a time; then return."""
        deadline = time.monotonic() + wait_seconds
        count = 0
        while count < count_max:
            length, data = self._pg.get_copy_data(1)
            if length > 0:
                count += 1
                self._come_count += 1
                message = self._read(bytes(data))
                if message is not None:
                    yield message
            elif length < 0:
                raise StreamBroken(self._error())
            elif count or not self._wait(deadline - time.monotonic()):
                return

    def _wait(self, seconds: float) -> bool:
        if seconds <= 0:
            return False
        readable, _, _ = select.select([self._pg.socket], [], [], seconds)
        if readable:
            if self._come_count < FEW:
                time.sleep(NAP_SECONDS)
            self._come_count = 0
            self._pg.consume_input()
            if self._pg.status != ConnStatus.OK:
                raise StreamBroken(self._error())
        return True

    def _read(self, data: bytes) -> bytes | Position | None:
        if data[:1] == b"w":
            return data[_DATA_HEADER_BYTES:]
        if data[:1] == b"k":
            _, lsn, _, must_answer = _KEEPALIVE.unpack(data)
            if must_answer:
                self._said_at = 0.0
            return Position(lsn)
        return None

    def confirm(self, lsn: int) -> None:
        """Say that everything before `lsn` is kept; cheap to call often."""
        now = time.monotonic()
        lsn = max(lsn, self._confirmed_lsn)
        if lsn == self._confirmed_lsn and now - self._said_at < STATUS_SECONDS:
            return
        microseconds = int((time.time() - _EPOCH) * 1_000_000)
        self._pg.put_copy_data(_STATUS.pack(b"r", lsn, lsn, lsn, microseconds, 0))
        self._pg.flush()
        self._confirmed_lsn, self._said_at = lsn, now
