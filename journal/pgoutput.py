"""What PostgreSQL's logical decoding says with its plugin `pgoutput`, protocol version 1. Pure: bytes in, values out.

A transaction is a BEGIN, its changes in order, a COMMIT; transactions come in the order of their commits, whole, and only
once they are committed. A RELATION describes a table before the first change to it. Values are the texts that the
column's type prints. Numbers are big-endian; a position in the log (LSN) is a number of 64 bits; a time counts
microseconds since 2000-01-01 UTC. https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_BEGIN = struct.Struct(">QqI")
_COMMIT = struct.Struct(">BQQq")
_UINT16 = struct.Struct(">H")
_UINT32 = struct.Struct(">I")
_COLUMN_TYPE = struct.Struct(">Ii")
_MESSAGE_FLAGS = struct.Struct(">BQ")

BEGIN, COMMIT, RELATION, INSERT, UPDATE, DELETE, TRUNCATE = b"B", b"C", b"R", b"I", b"U", b"D", b"T"
MESSAGE = b"M"
CHANGES = frozenset((*INSERT, *UPDATE, *DELETE))  # of one table, whose number follows the message's letter
_IGNORED = frozenset(b"YO")  # types and origins say nothing about rows


class MalformedMessage(Exception):
    """The bytes are no message of this protocol."""


class Unchanged(Enum):
    """The value of a long column that an update left alone; the log does not hold it."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED
Value = str | None | Unchanged


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins that committed at this position and time."""

    commit_lsn: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction ends; its commit's record stands at `commit_lsn` and ends before `end_lsn`."""

    commit_lsn: int
    end_lsn: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as the changes that follow see it. `key_columns` tell its rows apart."""

    relation_id: int
    schema: str
    name: str
    columns: tuple[str, ...]
    key_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    """A row is new."""

    relation_id: int
    new: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """A row has new values. `old` is None where its key stays the same; else it holds at least the old key."""

    relation_id: int
    old: tuple[Value, ...] | None
    new: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """A row is gone. `old` holds at least its key."""

    relation_id: int
    old: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Truncate:
    """All rows of these tables are gone."""

    relation_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ApplicationMessage:
    """An application has put this into the log; where it `is_transactional`, as a part of the transaction that it is in."""

    prefix: str
    content: bytes
    is_transactional: bool = True


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate | ApplicationMessage


class _Reader:
    """Takes a message apart from its front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        values: tuple[int, ...] = layout.unpack_from(self._data, self._at)
        self._at += layout.size
        return values

    def number(self, layout: struct.Struct) -> int:
        return self.unpack(layout)[0]

    def bytes(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise MalformedMessage("a message ends early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def string(self) -> str:
        end = self._data.index(0, self._at)
        return self.bytes(end + 1 - self._at)[:-1].decode()

    def values(self) -> tuple[Value, ...]:
        return tuple(self._value() for _ in range(self.number(_UINT16)))

    def _value(self) -> Value:
        kind = self.bytes(1)
        if kind == b"t":
            return self.bytes(self.number(_UINT32)).decode()
        if kind == b"n":
            return None
        if kind == b"u":
            return UNCHANGED
        raise MalformedMessage(f"a value of kind {kind!r}")

    def expect_end(self) -> None:
        if self._at != len(self._data):
            raise MalformedMessage(f"{len(self._data) - self._at} bytes follow a message")


def parse_message(data: bytes) -> Message | None:
    """Return what a message says; None for those that say nothing about rows. MalformedMessage."""
    reader = _Reader(data)
    try:
        kind = reader.bytes(1)
        if kind[0] in _IGNORED:
            return None
        message = _parse(kind, reader)
        reader.expect_end()
    except (struct.error, ValueError) as error:
        raise MalformedMessage(str(error)) from error
    return message


def _parse(kind: bytes, reader: _Reader) -> Message:
    if kind == INSERT:
        relation_id = reader.number(_UINT32)
        _expect(reader, b"N")
        return Insert(relation_id, reader.values())
    if kind == UPDATE:
        return _parse_update(reader)
    if kind == DELETE:
        relation_id = reader.number(_UINT32)
        _expect(reader, b"KO")
        return Delete(relation_id, reader.values())
    if kind == BEGIN:
        commit_lsn, microseconds, _ = reader.unpack(_BEGIN)
        return Begin(commit_lsn, _time(microseconds))
    if kind == COMMIT:
        _, commit_lsn, end_lsn, microseconds = reader.unpack(_COMMIT)
        return Commit(commit_lsn, end_lsn, _time(microseconds))
    if kind == RELATION:
        return _parse_relation(reader)
    if kind == MESSAGE:
        flags, _ = reader.unpack(_MESSAGE_FLAGS)
        return ApplicationMessage(reader.string(), reader.bytes(reader.number(_UINT32)), bool(flags & 1))
    if kind == TRUNCATE:
        count = reader.number(_UINT32)
        reader.bytes(1)
        return Truncate(tuple(reader.number(_UINT32) for _ in range(count)))
    raise MalformedMessage(f"a message of kind {kind!r}")


def _parse_relation(reader: _Reader) -> Relation:
    relation_id = reader.number(_UINT32)
    schema, name = reader.string() or "pg_catalog", reader.string()
    reader.bytes(1)  # how the table tells its rows apart; the columns' flags say what follows from it
    columns, keys = [], []
    for _ in range(reader.number(_UINT16)):
        is_key = reader.bytes(1) == b"\x01"
        column = reader.string()
        reader.unpack(_COLUMN_TYPE)
        columns.append(column)
        if is_key:
            keys.append(column)
    return Relation(relation_id, schema, name, tuple(columns), tuple(keys))


def _parse_update(reader: _Reader) -> Update:
    relation_id = reader.number(_UINT32)
    old = None
    kind = reader.bytes(1)
    if kind in {b"K", b"O"}:
        old = reader.values()
        kind = reader.bytes(1)
    if kind != b"N":
        raise MalformedMessage("an update without its new row")
    return Update(relation_id, old, reader.values())


def _expect(reader: _Reader, kinds: bytes) -> None:
    if reader.bytes(1)[0] not in kinds:
        raise MalformedMessage("a row of an unexpected kind")


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def relation_id_of(data: bytes) -> int:
    """Return the number of the table that a RELATION or a change of one table is about."""
    return int.from_bytes(data[1:5])


def table_of(relation: bytes) -> str:
    """Return the name of the table that a RELATION describes."""
    return relation[5:].split(b"\0", 2)[1].decode()


def is_message_of_transaction(message: bytes, prefix: str) -> bool:
    """Tell whether a MESSAGE is a part of a transaction and begins with a prefix."""
    return message[1] & 1 == 1 and message.startswith(prefix.encode() + b"\0", 10)


def commit_end_of(commit: bytes) -> int:
    """Return the position behind a COMMIT."""
    return int.from_bytes(commit[10:18])


def commit_time_of(commit: bytes) -> datetime:
    """Return when a COMMIT happened."""
    return _time(int.from_bytes(commit[18:26], signed=True))


def parse_lsn(text: str) -> int:
    """Return a position from its text, as 16/B374D848."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def format_lsn(lsn: int) -> str:
    """Return the text of a position."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def names_of(columns: Sequence[str], values: Sequence[Value]) -> dict[str, str | None]:
    """Return the values that are known, by column."""
    return {column: value for column, value in zip(columns, values, strict=True) if not isinstance(value, Unchanged)}
