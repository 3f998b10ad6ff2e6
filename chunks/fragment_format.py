"""The bytes of a fragment on a node. Pure: makes and checks buffers, reads and writes nothing.

A fragment says itself which part of which chunk it is and how to decode it, so that a chunk can be found and read
without the database. docs/design/fragment-format.md tells why it looks as it does.

Version 1, integers little-endian, n = ceil(payload_bytes / 65536):

    offset  bytes  what
         0      4  magic "OBJf"
         4      1  version, 1
         5      1  codec: 1 copies, 2 Reed-Solomon with the Cauchy matrix of `erasure`
         6      1  k, how many data fragments
         7      1  m, how many parity fragments (of copies: one less than there are)
         8      1  fragment index, 0 to k+m-1
         9      7  zero
        16     16  chunk id
        32      8  chunk size
        40      8  payload length
        48      8  CRC-64/NVME of the chunk
        56      8  CRC-64/NVME of this header: of bytes 0 to 55 followed by the table
        64     8n  table: CRC-64/NVME of each 64 KiB of the payload
     64+8n         payload

A segment is nothing but whole fragments of small chunks, one after the other; all its copies are the same bytes, so
each fragment in it says index 0. Where a fragment begins is known to its chunk's row alone, and found again by its magic.

The table stands in front, so a small fragment is one read, and a range of a large one is two at most: the header
tells what the blocks must be. CRC-64 finds every damage of up to 64 neighbouring bits, misses one in 2^64 of others,
and costs 1.2 microseconds a block.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from awscrt.checksums import crc64nvme

from chunks.erasure import Buffer, Scheme
from chunks.errors import FragmentCorrupt

MAGIC = b"OBJf"
VERSION = 1
BLOCK_BYTES = 64 * 1024
SEGMENT_SUFFIX = ".segment"

_FIXED = struct.Struct("<4sBBBBB7x16sQQQ")
_CHECKSUM = struct.Struct("<Q")
_FIXED_BYTES = _FIXED.size + _CHECKSUM.size
_CODEC_COPIES, _CODEC_CAUCHY = 1, 2


@dataclass(frozen=True, slots=True)
class FragmentHeader:
    """What a fragment says of itself. `block_checksums` has one entry for each 64 KiB of the payload."""

    chunk_id: UUID
    fragment_index: int
    scheme: Scheme
    chunk_size_bytes: int
    chunk_checksum: int
    payload_bytes: int
    block_checksums: Sequence[int]


def checksum_of(data: Buffer) -> int:
    """Return the CRC-64/NVME, unsigned."""
    checksum: int = crc64nvme(data)
    return checksum


def fragment_name(chunk_id: UUID, fragment_index: int) -> str:
    """Return the name under which a node keeps the fragment."""
    return f"{chunk_id.hex}.{fragment_index}"


def parse_fragment_name(name: str) -> tuple[UUID, int] | None:
    """Return the chunk id and fragment index, or None for a name that no fragment has."""
    chunk_hex, _, index_text = name.partition(".")
    try:
        chunk_id, fragment_index = UUID(hex=chunk_hex), int(index_text)
    except ValueError:
        return None
    return (chunk_id, fragment_index) if fragment_name(chunk_id, fragment_index) == name else None


def segment_name(segment_id: UUID) -> str:
    """Return the name under which a node keeps its copy of a segment."""
    return f"{segment_id.hex}{SEGMENT_SUFFIX}"


def parse_segment_name(name: str) -> UUID | None:
    """Return the segment's id, or None for a name that no segment has."""
    if not name.endswith(SEGMENT_SUFFIX):
        return None
    try:
        segment_id = UUID(hex=name[: -len(SEGMENT_SUFFIX)])
    except ValueError:
        return None
    return segment_id if segment_name(segment_id) == name else None


def block_count(payload_bytes: int) -> int:
    """Return how many blocks a payload has."""
    return -(-payload_bytes // BLOCK_BYTES)


def header_length_bytes(payload_bytes: int) -> int:
    """Return where the payload starts."""
    return _FIXED_BYTES + _CHECKSUM.size * block_count(payload_bytes)


def build_header(
    payload: memoryview,
    *,
    chunk_id: UUID,
    fragment_index: int,
    scheme: Scheme,
    chunk_size_bytes: int,
    chunk_checksum: int,
) -> bytes:
    """Return what is written before `payload`. The payload is read once, for its checksums, and not copied."""
    fixed = _FIXED.pack(
        MAGIC,
        VERSION,
        _CODEC_COPIES if scheme.is_replicated else _CODEC_CAUCHY,
        scheme.data_count,
        scheme.parity_count,
        fragment_index,
        chunk_id.bytes,
        chunk_size_bytes,
        len(payload),
        chunk_checksum,
    )
    table = b"".join(
        [
            _CHECKSUM.pack(crc64nvme(payload[start : start + BLOCK_BYTES]))
            for start in range(0, len(payload), BLOCK_BYTES)
        ]
    )
    return b"".join((fixed, _CHECKSUM.pack(crc64nvme(fixed + table)), table))


def parse_header(data: Buffer) -> FragmentHeader:
    """Return the checked header from the first bytes of a fragment; FragmentCorrupt if it is not whole and intact."""
    if len(data) < _FIXED_BYTES:
        raise FragmentCorrupt(f"{len(data)} bytes are too few for a header")
    fields = _FIXED.unpack_from(data)
    magic, version, codec, data_count, parity_count, fragment_index = fields[:6]
    chunk_id_bytes, chunk_size_bytes, payload_bytes, chunk_checksum = fields[6:]
    if magic != MAGIC or version != VERSION:
        raise FragmentCorrupt("not a fragment of a version that is known here")
    end = header_length_bytes(payload_bytes)
    if len(data) < end:
        raise FragmentCorrupt(f"the header has {end} bytes, of which {len(data)} are there")
    view = memoryview(data)
    if crc64nvme(bytes(view[: _FIXED.size]) + view[_FIXED_BYTES:end]) != _CHECKSUM.unpack_from(data, _FIXED.size)[0]:
        raise FragmentCorrupt("the header is damaged")
    return FragmentHeader(
        chunk_id=UUID(bytes=chunk_id_bytes),
        fragment_index=fragment_index,
        scheme=Scheme(data_count, parity_count, codec == _CODEC_COPIES),
        chunk_size_bytes=chunk_size_bytes,
        chunk_checksum=chunk_checksum,
        payload_bytes=payload_bytes,
        block_checksums=struct.unpack_from(f"<{block_count(payload_bytes)}Q", data, _FIXED_BYTES),
    )


def check_blocks(header: FragmentHeader, first_block: int, blocks: memoryview) -> None:
    """Check whole blocks of the payload, of which the first is number `first_block`; FragmentCorrupt on damage.

    Only the payload's last block may be shorter than 64 KiB.
    """
    for number, start in enumerate(range(0, len(blocks), BLOCK_BYTES), first_block):
        if crc64nvme(blocks[start : start + BLOCK_BYTES]) != header.block_checksums[number]:
            raise FragmentCorrupt(f"block {number} is damaged")
