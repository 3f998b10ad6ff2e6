from __future__ import annotations

from datetime import UTC, datetime

import pytest

from journal import pgoutput
from journal.pgoutput import (
    UNCHANGED,
    ApplicationMessage,
    Begin,
    Commit,
    Delete,
    Insert,
    MalformedMessage,
    Relation,
    Truncate,
    Update,
    parse_message,
)

# As PostgreSQL 18 sent them for: CREATE TABLE t (id bigint PRIMARY KEY, a text, j jsonb, at timestamptz); an insert; a
# delete.
BEGIN = bytes.fromhex("42 00000000016f6968 0003042b3474750d 000002f2")
COMMIT = bytes.fromhex("43 00 00000000016f6968 00000000016f6998 0003042b3474750d")
RELATION = bytes.fromhex(
    "52 00004001 7075626c696300 7400 64 0004"
    " 01 696400 00000014 ffffffff 00 6100 00000019 ffffffff 00 6a00 00000eda ffffffff 00 617400 000004a0 ffffffff"
)
INSERT = bytes.fromhex(
    "49 00004001 4e 0004 74 00000001 31 74 00000001 78 74 00000008 7b2261223a20317d 6e",
)
DELETE = bytes.fromhex("44 00004001 4b 0004 74 00000001 31 6e 6e 6e")
UPDATE = bytes.fromhex("55 00004001 4e 0004 74 00000001 31 75 6e 6e")
UPDATE_OF_KEY = bytes.fromhex("55 00004001 4b 0001 74 00000001 31 4e 0001 74 00000001 32")
TRUNCATE = bytes.fromhex("54 00000002 00 00004001 00004002")
# For: SELECT pg_logical_emit_message(true, 'p', 'abc')
MESSAGE = bytes.fromhex("4d 01 00000000016f6900 7000 00000003 616263")
ALL = (BEGIN, COMMIT, RELATION, INSERT, DELETE, UPDATE, UPDATE_OF_KEY, TRUNCATE, MESSAGE)

COMMITTED_AT = datetime(2026, 11, 26, 11, 42, 20, 284173, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BEGIN, Begin(0x16F6968, COMMITTED_AT)),
        (COMMIT, Commit(0x16F6968, 0x16F6998, COMMITTED_AT)),
        (RELATION, Relation(0x4001, "public", "t", ("id", "a", "j", "at"), ("id",))),
        (INSERT, Insert(0x4001, ("1", "x", '{"a": 1}', None))),
        (DELETE, Delete(0x4001, ("1", None, None, None))),
        (UPDATE, Update(0x4001, None, ("1", UNCHANGED, None, None))),
        (UPDATE_OF_KEY, Update(0x4001, ("1",), ("2",))),
        (TRUNCATE, Truncate((0x4001, 0x4002))),
        (MESSAGE, ApplicationMessage("p", b"abc")),
        (b"M\0" + MESSAGE[2:], ApplicationMessage("p", b"abc", is_transactional=False)),
        (b"O" + bytes(8) + b"origin\0", None),
    ],
)
def test_messages_are_read(data: bytes, message: object) -> None:
    assert parse_message(data) == message


@pytest.mark.parametrize("data", ALL)
def test_no_message_is_read_from_a_part_of_one_or_from_more_than_one(data: bytes) -> None:
    for length in range(1, len(data)):
        with pytest.raises(MalformedMessage):
            parse_message(data[:length])
    with pytest.raises(MalformedMessage):
        parse_message(data + b"\0")


@pytest.mark.parametrize("data", [b"", b"Z", b"I\0\0\0\1K\0\0", b"I\0\0\0\1N\0\1b\0\0\0\1x", b"U\0\0\0\1X"])
def test_what_this_protocol_does_not_have_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_message(data)


def test_what_the_writer_needs_is_read_without_parsing_the_rest() -> None:
    assert pgoutput.relation_id_of(INSERT) == pgoutput.relation_id_of(RELATION) == 0x4001
    assert pgoutput.table_of(RELATION) == "t"
    assert pgoutput.commit_end_of(COMMIT) == 0x16F6998
    assert pgoutput.commit_time_of(COMMIT) == COMMITTED_AT
    assert pgoutput.is_message_of_transaction(MESSAGE, "p")
    assert not pgoutput.is_message_of_transaction(MESSAGE, "pp")
    assert not pgoutput.is_message_of_transaction(b"M\0" + MESSAGE[2:], "p")


def test_positions_have_a_text() -> None:
    assert pgoutput.parse_lsn("16/B374D848") == 0x16B374D848
    assert pgoutput.format_lsn(0x16B374D848) == "16/B374D848"
    assert pgoutput.format_lsn(0) == "0/0"
