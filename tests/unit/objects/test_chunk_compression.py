"""The kernel that compresses chunks."""

from __future__ import annotations

import random
import struct

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from objects.chunk_compression import (
    RUN_BYTES,
    ChunkNotCompressed,
    compress_chunk,
    decompress_range,
    head_bytes,
    may_shrink,
    read_head,
)

WORDS = [random.Random(word).randbytes(4).hex() for word in range(500)]
TEXT = " ".join(random.Random(1).choices(WORDS, k=120_000)).encode()
NOISE = random.Random(2).randbytes(400_000)


def compressed(plain: bytes, level: int = 3) -> bytes:
    stored = compress_chunk(plain, level)
    assert stored is not None
    return stored


def read(stored: bytes, plain_bytes: int, start: int, end: int, piece_bytes: int = 1 << 20) -> bytes:
    table = read_head(stored[: head_bytes(plain_bytes)], plain_bytes)
    low, high = table.stored_range(start, end)
    part = stored[low:high]
    pieces = [part[at : at + piece_bytes] for at in range(0, len(part), piece_bytes)]
    return b"".join(decompress_range(table, pieces, start=start, end=end))


@pytest.mark.parametrize("level", [1, 3, 19])
def test_what_was_compressed_comes_back(level: int) -> None:
    stored = compressed(TEXT, level)
    assert len(stored) < len(TEXT) / 2
    assert read(stored, len(TEXT), 0, len(TEXT)) == TEXT


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_range_comes_back_however_the_stored_bytes_are_cut(data: st.DataObject) -> None:
    stored = STORED
    start = data.draw(st.integers(0, len(TEXT) - 1))
    end = data.draw(st.integers(start + 1, len(TEXT)))
    piece_bytes = data.draw(st.sampled_from([1000, 65_536, 1 << 20]))
    assert read(stored, len(TEXT), start, end, piece_bytes) == TEXT[start:end]


STORED = compressed(TEXT)


def test_a_range_needs_only_the_runs_that_it_touches() -> None:
    table = read_head(STORED, len(TEXT))
    low, high = table.stored_range(5 * RUN_BYTES + 1, 5 * RUN_BYTES + 2)
    assert high - low < RUN_BYTES
    assert (low, high) == (table.offsets[5], table.offsets[6])


@pytest.mark.parametrize("size", [256, 1000, RUN_BYTES - 1, RUN_BYTES, RUN_BYTES + 1, 3 * RUN_BYTES])
def test_sizes_around_a_run(size: int) -> None:
    plain = TEXT[:size]
    assert read(compressed(plain), size, 0, size) == plain


def test_what_does_not_shrink_stays_as_it_is() -> None:
    assert compress_chunk(NOISE, 3) is None
    assert compress_chunk(b"", 3) is None
    assert compress_chunk(b"short", 3) is None
    assert compress_chunk(bytes(300) + NOISE, 3) is None, "the first run decides"


def test_a_run_that_does_not_shrink_is_stored_among_those_that_do() -> None:
    plain = TEXT[: 2 * RUN_BYTES] + NOISE[:RUN_BYTES] + TEXT[: RUN_BYTES // 2]
    stored = compressed(plain)
    table = read_head(stored, len(plain))
    assert table.offsets[3] - table.offsets[2] == RUN_BYTES
    assert read(stored, len(plain), 0, len(plain)) == plain


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored: stored[: head_bytes(len(TEXT)) - 1],
        lambda stored: b"x" + stored[1:],
        lambda stored: stored[:8] + b"\x02" + stored[9:],
        lambda stored: stored[:16] + struct.pack("<Q", len(TEXT) + 1) + stored[24:],
        lambda stored: stored[:24] + struct.pack("<I", RUN_BYTES + 1) + stored[28:],
        lambda stored: stored[:24] + struct.pack("<I", 7) + stored[28:],
        lambda stored: stored[: head_bytes(len(TEXT))] + bytes(len(stored)),
        lambda stored: stored[:-1],
    ],
)
def test_what_is_not_what_was_compressed_is_never_other_bytes(damage: object) -> None:
    with pytest.raises(ChunkNotCompressed):
        read(damage(STORED), len(TEXT), 0, len(TEXT))  # type: ignore[operator]


def test_a_frame_that_holds_more_than_a_run_is_not_even_decompressed() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(100 << 20))
    head = struct.pack("<8sI4xQI", b"objchnkZ", 1, RUN_BYTES, len(bomb))
    with pytest.raises(ChunkNotCompressed):
        read(head + bomb, RUN_BYTES, 0, RUN_BYTES)


@pytest.mark.parametrize(
    ("content_type", "encoding", "expected"),
    [
        ("", "", True),
        ("text/plain; charset=utf-8", "", True),
        ("application/octet-stream", "", True),
        ("image/svg+xml", "", True),
        ("image/bmp", "", True),
        ("audio/wav", "", True),
        ("IMAGE/JPEG", "", False),
        ("video/mp4", "", False),
        ("application/zip", "", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "", False),
        ("text/plain", "gzip", False),
        ("text/plain", "identity", True),
    ],
)
def test_types_that_are_compressed_already_are_not_tried(content_type: str, encoding: str, *, expected: bool) -> None:
    assert may_shrink(content_type, encoding) is expected
