"""Compress the bytes of a chunk, and decompress any range of them. Pure: bytes in, bytes out.

Not for: which classes compress (rows of `chunks`), nor for what becomes of the compressed chunk: it may be encrypted
then (`chunk_cipher`), and `chunks` stores it like any other.

A chunk is cut into runs of 128 KiB, each a zstd frame of its own (RFC 8878), so that a range needs only the frames that
it touches. Integers little-endian, n = ceil(plain size / 131072):

    offset  bytes  what
         0      8  magic "objchnkZ"
         8      4  version, 1
        12      4  zero
        16      8  plain size of the chunk
        24     4n  table: stored length of each run; as long as the run itself: it is stored as it is
     24+4n         the runs

Nothing here is a checksum: the fragments below have theirs for every block, and encrypted chunks a tag. A table that
does not fit, and a frame that is not as long as it must be, are `ChunkNotCompressed`, never other bytes.

Whether compressing pays is tried on the first run: what does not shrink by a tenth there is left as it is, and so is a
chunk that has not shrunk by a sixteenth in the end. What is compressed already is known by its type and not even tried.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import zstandard

RUN_BYTES = 128 * 1024
LEVELS = range(1, 20)
"""What zstd knows short of its "ultra" levels, whose windows are larger than a run."""

_HEAD = struct.Struct("<8sI4xQ")
_MAGIC = b"objchnkZ"
_VERSION = 1
_PLAIN_BYTES_MIN = 256  # a smaller chunk has nothing to save
_TRIAL_SHARE_MAX = 0.9
_SHARE_MAX = 15 / 16

# By the first part of the type, by the whole of it, and by what it ends with.
_COMPRESSED_KINDS = frozenset({"video", "audio"})
_COMPRESSED_TYPES = frozenset(
    {
        "application/gzip", "application/zip", "application/zstd", "application/x-7z-compressed",
        "application/x-bzip2", "application/x-gzip", "application/x-rar-compressed", "application/x-xz",
        "application/x-zstd", "application/java-archive", "application/vnd.rar", "application/vnd.apache.parquet",
        "image/avif", "image/gif", "image/heic", "image/jpeg", "image/jxl", "image/png", "image/webp", "font/woff2",
    }
)  # fmt: skip
_COMPRESSED_ENDINGS = ("+zip", "+gzip")
_COMPRESSED_PREFIXES = ("application/vnd.openxmlformats-", "application/vnd.oasis.opendocument.")
_PLAIN_AUDIO = frozenset({"audio/wav", "audio/x-wav", "audio/aiff", "audio/basic", "audio/midi"})

_local = threading.local()


class ChunkNotCompressed(Exception):
    """What should be a compressed chunk is none, or another one."""


def may_shrink(content_type: str, content_encoding: str = "") -> bool:
    """Say whether a body of this type is worth trying; what has an encoding of its own is not."""
    kind = content_type.partition(";")[0].strip().lower()
    if content_encoding.strip().lower() not in {"", "identity", "aws-chunked"}:
        return False
    if kind in _COMPRESSED_TYPES or kind.endswith(_COMPRESSED_ENDINGS) or kind.startswith(_COMPRESSED_PREFIXES):
        return False
    return kind.partition("/")[0] not in _COMPRESSED_KINDS or kind in _PLAIN_AUDIO


def compress_chunk(plain: bytes | bytearray | memoryview, level: int) -> bytes | None:
    """Return the stored form of a chunk, or None where it would not be smaller enough.

    Needs memory for the result beside the chunk. Costs a trial of one run where nothing is saved.
    """
    view = memoryview(plain).cast("B")
    if len(view) < _PLAIN_BYTES_MIN:
        return None
    compressor = _compressor(level)
    runs: list[bytes | memoryview] = []
    for start in range(0, len(view), RUN_BYTES):
        run = view[start : start + RUN_BYTES]
        frame = compressor.compress(run)
        if not runs and len(frame) > len(run) * _TRIAL_SHARE_MAX:
            return None
        runs.append(frame if len(frame) < len(run) else run)
    lengths = [len(run) for run in runs]
    head = _HEAD.pack(_MAGIC, _VERSION, len(view)) + struct.pack(f"<{len(lengths)}I", *lengths)
    if len(head) + sum(lengths) > len(view) * _SHARE_MAX:
        return None
    return b"".join((head, *runs))


def head_bytes(plain_bytes: int) -> int:
    """Return how long the head of a chunk of this plain size is, table and all."""
    return _HEAD.size + 4 * _run_count(plain_bytes)


@dataclass(frozen=True, slots=True)
class RunTable:
    """Where the runs of a chunk lie: run i from `offsets[i]` to `offsets[i + 1]`."""

    plain_bytes: int
    offsets: Sequence[int]

    def stored_range(self, start: int, end: int) -> tuple[int, int]:
        """Return where the runs lie that hold the plain bytes [start, end), which are not none."""
        return self.offsets[start // RUN_BYTES], self.offsets[(end - 1) // RUN_BYTES + 1]

    def run_length(self, index: int) -> int:
        """Return how many plain bytes a run holds."""
        return min(RUN_BYTES, self.plain_bytes - index * RUN_BYTES)


def read_head(head: bytes | memoryview, plain_bytes: int) -> RunTable:
    """Return the table of a chunk of this plain size from its first `head_bytes`. Raises ChunkNotCompressed."""
    count = _run_count(plain_bytes)
    if len(head) < head_bytes(plain_bytes):
        raise ChunkNotCompressed("the chunk ends within its head")
    magic, version, found_bytes = _HEAD.unpack_from(head)
    if (magic, version, found_bytes) != (_MAGIC, _VERSION, plain_bytes):
        raise ChunkNotCompressed(f"the chunk is no compressed one of {plain_bytes} bytes")
    lengths = struct.unpack_from(f"<{count}I", head, _HEAD.size)
    table = RunTable(plain_bytes, tuple(accumulate(lengths, initial=head_bytes(plain_bytes))))
    if any(length > table.run_length(index) for index, length in enumerate(lengths)):
        raise ChunkNotCompressed("a run is longer than what it holds")
    return table


def decompress_range(table: RunTable, pieces: Iterable[bytes | memoryview], *, start: int, end: int) -> Iterator[bytes]:
    """Yield the plain bytes [start, end) of a chunk from the stored bytes of `stored_range`, however they are cut.

    Holds one piece and one run. Raises ChunkNotCompressed.
    """
    index = start // RUN_BYTES
    rest = bytearray()
    for piece in pieces:
        rest += piece
        taken = 0
        while index * RUN_BYTES < end:
            length = table.offsets[index + 1] - table.offsets[index]
            if len(rest) - taken < length:
                break
            plain = _plain_run(memoryview(rest)[taken : taken + length], table.run_length(index))
            taken += length
            low, high = max(start - index * RUN_BYTES, 0), min(end - index * RUN_BYTES, len(plain))
            index += 1
            yield plain if (low, high) == (0, len(plain)) else plain[low:high]
        del rest[:taken]
    if index * RUN_BYTES < end:
        raise ChunkNotCompressed(f"the chunk ends within run {index}")


def _plain_run(stored: memoryview, plain_bytes: int) -> bytes:
    if len(stored) == plain_bytes:
        plain = bytes(stored)
    else:
        try:
            # The frame says how much it holds; without that, or with more, it is none of ours.
            if zstandard.frame_content_size(stored) != plain_bytes:
                raise ChunkNotCompressed("a run holds another number of bytes")
            plain = _decompressor().decompress(stored, max_output_size=plain_bytes)
        except zstandard.ZstdError as error:
            raise ChunkNotCompressed(str(error)) from error
    stored.release()
    if len(plain) != plain_bytes:
        raise ChunkNotCompressed("a run holds another number of bytes")
    return plain


def _run_count(plain_bytes: int) -> int:
    return -(-plain_bytes // RUN_BYTES)


def _compressor(level: int) -> zstandard.ZstdCompressor:
    """Return this thread's own: they keep state, and are costly to make."""
    made: dict[int, zstandard.ZstdCompressor] | None = getattr(_local, "compressors", None)
    if made is None:
        made = _local.compressors = {}
    if level not in made:
        made[level] = zstandard.ZstdCompressor(level=level, write_checksum=False, write_content_size=True)
    return made[level]


def _decompressor() -> zstandard.ZstdDecompressor:
    made: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if made is None:
        made = _local.decompressor = zstandard.ZstdDecompressor()
    return made
