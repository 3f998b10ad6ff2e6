from __future__ import annotations

import random
from pathlib import Path

import pytest

from journal.record_format import (
    RecordDamaged,
    RecordKind,
    RecordName,
    build_frame,
    build_record,
    join_messages,
    parse_name,
    parse_record,
    split_messages,
)

GOLDEN = Path(__file__).parents[2] / "data" / "journal"
HEADER = {"lineage": "0123abcd", "begins_lsn": 7, "ends_lsn": 99}
MESSAGES = [b"Bone", b"", b"I" + bytes(range(256))]


def build() -> bytes:
    frames = [build_frame(join_messages(MESSAGES)), build_frame([b"x" * 100_000])]
    return b"".join(build_record(RecordKind.SEGMENT, HEADER, frames))


def test_a_record_is_read_as_it_was_written() -> None:
    record = parse_record(build())
    assert (record.kind, record.header) == (RecordKind.SEGMENT, HEADER)
    first, second = record.contents()
    assert list(split_messages(first)) == MESSAGES
    assert second == b"x" * 100_000


@pytest.mark.parametrize("version", [1, 2])
def test_records_of_every_version_are_read_for_ever(version: int) -> None:
    record = parse_record((GOLDEN / f"segment-version-{version}.bin").read_bytes())
    assert record.header == HEADER
    assert list(split_messages(next(record.contents()))) == MESSAGES


def test_a_record_that_is_cut_anywhere_is_damaged() -> None:
    data = build()
    for length in range(len(data)):
        with pytest.raises(RecordDamaged):
            parse_record(data[:length])


def test_a_record_with_any_bit_flipped_is_damaged() -> None:
    data = build()
    chance = random.Random(7)
    for at in [*range(40), *(chance.randrange(len(data)) for _ in range(500))]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << chance.randrange(8)
        with pytest.raises(RecordDamaged):
            list(parse_record(bytes(flipped)).contents())


def test_a_record_followed_by_something_or_short_of_a_frame_is_damaged() -> None:
    frames = [build_frame([b"one"]), build_frame([b"two"])]
    whole = b"".join(build_record(RecordKind.PART, {}, frames))
    with pytest.raises(RecordDamaged):
        parse_record(whole + b"\0")
    with pytest.raises(RecordDamaged):
        parse_record(whole.replace(frames[0].data, b""))
    with pytest.raises(RecordDamaged):
        parse_record(whole.replace(frames[0].data + frames[1].data, frames[1].data + frames[0].data))


def test_messages_that_are_cut_are_noticed() -> None:
    with pytest.raises(RecordDamaged):
        list(split_messages(b"\x05\0\0\0abc"))


@pytest.mark.parametrize(
    "name",
    [
        RecordName("0123abcd", RecordKind.SEGMENT, 12, 3),
        RecordName("0123abcd", RecordKind.PART, 1, 0x12345),
        RecordName("0123abcd", RecordKind.MANIFEST, 0xFFFFFFFFFF),
    ],
)
def test_names_say_what_a_record_is_and_lie_in_the_first_part_of_a_listing(name: RecordName) -> None:
    assert parse_name(str(name)) == name
    assert str(name).partition(".")[0].endswith("00")


@pytest.mark.parametrize(
    "text",
    [
        "0123456789abcdef0123456789abcdef.0",
        "journal-0123abcd-000000000c-00000003-00.segment.a1b2c3.tmp",
        "journal-0123ABCD-000000000c-00000003-00.segment",
        "journal-0123abcd-c-3-00.segment",
        "journal-0123abcd-000000000c-0000000003-00.segment",
        "journal-0123abcd-000000000c-00000003-00.other",
    ],
)
def test_other_names_are_none_of_the_journal(text: str) -> None:
    assert parse_name(text) is None
