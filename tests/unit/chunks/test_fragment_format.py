from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest

from chunks.erasure import encode, parse_scheme
from chunks.errors import FragmentCorrupt
from chunks.fragment_format import (
    BLOCK_BYTES,
    build_header,
    check_blocks,
    checksum_of,
    fragment_name,
    header_length_bytes,
    parse_fragment_name,
    parse_header,
)

GOLDEN = Path(__file__).parents[2] / "data" / "chunks"
CHUNK_ID = UUID("01a202af-5ff6-7d8d-86f8-1d1fa4fa74a1")
CHUNK = bytes(index * index % 251 for index in range(601))


def fragment_of(chunk: bytes, scheme_text: str, index: int) -> bytes:
    scheme = parse_scheme(scheme_text)
    payload = encode(scheme, chunk)[index]
    header = build_header(
        payload,
        chunk_id=CHUNK_ID,
        fragment_index=index,
        scheme=scheme,
        chunk_size_bytes=len(chunk),
        chunk_checksum=checksum_of(chunk),
    )
    return header + bytes(payload)


def check_whole(fragment: bytes) -> None:
    """Check as a reader does: header, length, blocks."""
    header = parse_header(fragment)
    start = header_length_bytes(header.payload_bytes)
    if len(fragment) != start + header.payload_bytes:
        raise FragmentCorrupt("length")
    check_blocks(header, 0, memoryview(fragment)[start:])


@pytest.mark.parametrize(("scheme", "index"), [("rs-4+2", 0), ("rs-4+2", 5), ("replicate-3", 1)])
def test_version_1_is_written_and_read_as_ever(scheme: str, index: int) -> None:
    golden = bytes.fromhex((GOLDEN / f"fragment-v1-{scheme}-{index}.hex").read_text())
    assert fragment_of(CHUNK, scheme, index) == golden
    check_whole(golden)
    header = parse_header(golden)
    assert (header.chunk_id, header.fragment_index, str(header.scheme)) == (CHUNK_ID, index, scheme)
    assert (header.chunk_size_bytes, header.chunk_checksum) == (len(CHUNK), checksum_of(CHUNK))


@pytest.mark.parametrize(("scheme", "index"), [("rs-4+2", 5), ("replicate-3", 1)])
def test_any_flipped_bit_is_found(scheme: str, index: int) -> None:
    fragment = fragment_of(CHUNK, scheme, index)
    for position in range(len(fragment) * 8):
        damaged = bytearray(fragment)
        damaged[position // 8] ^= 1 << position % 8
        with pytest.raises(FragmentCorrupt):
            check_whole(bytes(damaged))


def test_any_cut_is_found() -> None:
    fragment = fragment_of(CHUNK, "rs-4+2", 2)
    for length in range(len(fragment)):
        with pytest.raises(FragmentCorrupt):
            check_whole(fragment[:length])


def test_swapped_and_overwritten_blocks_are_found() -> None:
    chunk = random.Random(1).randbytes(3 * BLOCK_BYTES + 17)
    fragment = fragment_of(chunk, "replicate-3", 0)
    header = parse_header(fragment)
    blocks = bytearray(chunk)
    check_blocks(header, 0, memoryview(blocks))
    check_blocks(header, 2, memoryview(blocks)[2 * BLOCK_BYTES :])
    blocks[:BLOCK_BYTES], blocks[BLOCK_BYTES : 2 * BLOCK_BYTES] = (
        blocks[BLOCK_BYTES : 2 * BLOCK_BYTES],
        blocks[:BLOCK_BYTES],
    )
    with pytest.raises(FragmentCorrupt, match="block 0"):
        check_blocks(header, 0, memoryview(blocks))
    with pytest.raises(FragmentCorrupt, match="block 3"):
        check_blocks(header, 3, memoryview(bytes(17)))


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1])
def test_payloads_of_all_sizes_have_one_checksum_for_each_block_begun(size: int) -> None:
    fragment = fragment_of(bytes(size), "replicate-3", 0)
    check_whole(fragment)
    assert len(fragment) == 64 + 8 * (-(-size // BLOCK_BYTES)) + size


def test_random_bytes_are_no_fragment() -> None:
    for seed in range(200):
        with pytest.raises(FragmentCorrupt):
            parse_header(random.Random(seed).randbytes(seed))


def test_names_lead_back_to_chunk_and_index() -> None:
    assert parse_fragment_name(fragment_name(CHUNK_ID, 12)) == (CHUNK_ID, 12)


@pytest.mark.parametrize(
    "name", ["", "identity", f"{CHUNK_ID.hex}", f"{CHUNK_ID}.1", f"{CHUNK_ID.hex}.01", f"{CHUNK_ID.hex}.1.ab.tmp"]
)
def test_other_names_are_no_fragments(name: str) -> None:
    assert parse_fragment_name(name) is None
