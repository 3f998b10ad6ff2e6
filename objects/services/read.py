"""Read the bytes of a version, verified, in bounded memory; record the faults met on the way.

A version that is encrypted is decrypted here, for every reader, and a compressed one decompressed: block by block and
run by run, only those that the range needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from chunks import reader
from chunks import services as chunk_services
from chunks.reader import OnFault
from chunks.records import ChunkView, FaultRecord
from objects.chunk_cipher import cipher_range, decrypt_range, plain_size
from objects.chunk_compression import decompress_range, head_bytes, read_head
from objects.selectors.lookup import ExtentRecord, VersionRecord, iterate_extents
from objects.services.encryption import unwrap

# A compressed chunk up to this size is read in one: its head alone would take as many reads.
READ_AT_ONCE_BYTES = 128 * 1024


def iterate_version(
    version: VersionRecord, start: int, length: int, *, data_key: bytes | None = None
) -> Iterator[bytes]:
    """Yield `length` bytes of a version from `start`.

    Without a data key, key management is asked for it; what a customer's key encrypted is InvalidRequest then. Missing
    or corrupt fragments are worked around and queued for repair as rows. Raises chunks.errors.NotEnoughFragments when
    too many are gone, ChunkTampered for chunks that are not what was written.
    """
    data_key = data_key or unwrap(version.encryption)
    faults: list[FaultRecord] = []
    end = start + length
    try:
        for extent in iterate_extents(version, start, length):
            first = max(start, extent.offset) - extent.offset
            last = min(end, extent.offset + extent.size) - extent.offset
            yield from _iterate_extent(extent, first, last, data_key, faults.append)
    finally:
        if faults:
            chunk_services.record_faults(faults)


def _iterate_extent(
    extent: ExtentRecord, first: int, last: int, data_key: bytes | None, on_fault: OnFault
) -> Iterator[bytes]:
    """Yield the bytes [first, last) of an extent."""
    start, end = extent.chunk_offset + first, extent.chunk_offset + last
    if extent.plain_bytes is None:
        return _iterate_chunk(extent.chunk, start, end, data_key, on_fault)
    return _iterate_compressed(extent.chunk, extent.plain_bytes, range(start, end), data_key, on_fault)


def _iterate_compressed(
    chunk: ChunkView, plain_bytes: int, wanted: range, data_key: bytes | None, on_fault: OnFault
) -> Iterator[bytes]:
    """Yield the wanted plain bytes of a compressed chunk: its head is read, then the runs that they touch."""
    start, end = wanted.start, wanted.stop
    size_bytes = chunk.size_bytes if data_key is None else plain_size(chunk.size_bytes)
    if size_bytes <= READ_AT_ONCE_BYTES:
        whole = b"".join(_iterate_chunk(chunk, 0, size_bytes, data_key, on_fault))
        table = read_head(whole, plain_bytes)
        low, high = table.stored_range(start, end)
        return decompress_range(table, [memoryview(whole)[low:high]], start=start, end=end)
    head = b"".join(_iterate_chunk(chunk, 0, head_bytes(plain_bytes), data_key, on_fault))
    table = read_head(head, plain_bytes)
    low, high = table.stored_range(start, end)
    return decompress_range(table, _iterate_chunk(chunk, low, high, data_key, on_fault), start=start, end=end)


def _iterate_chunk(
    chunk: ChunkView, start: int, end: int, data_key: bytes | None, on_fault: OnFault
) -> Iterator[bytes]:
    """Yield the bytes [start, end) of a chunk as they were before they were encrypted."""
    if data_key is None:
        return reader.read_chunk_range(chunk, start, end - start, on_fault=on_fault)
    low, high = cipher_range(start, end, chunk.size_bytes)
    pieces = reader.read_chunk_range(chunk, low, high - low, on_fault=on_fault)
    return decrypt_range(data_key, chunk.id, pieces, cipher_bytes=chunk.size_bytes, start=start, end=end)


def read_small_version(
    version: VersionRecord, start: int, length: int, *, data_key: bytes | None = None
) -> bytes | None:
    """Return a range that lies within the first extent in one piece; None when it does not. No statement."""
    extent = version.first_extent
    if extent is None or start + length > extent.size:
        return None
    data_key = data_key or unwrap(version.encryption)
    faults: list[FaultRecord] = []
    try:
        return _read_extent(extent, start, start + length, data_key, faults.append)
    finally:
        if faults:
            chunk_services.record_faults(faults)


def _read_extent(extent: ExtentRecord, first: int, last: int, data_key: bytes | None, on_fault: OnFault) -> bytes:
    """Return the bytes [first, last) of an extent."""
    if extent.plain_bytes is not None:
        return b"".join(_iterate_extent(extent, first, last, data_key, on_fault))
    chunk, start, end = extent.chunk, extent.chunk_offset + first, extent.chunk_offset + last
    if data_key is None:
        return reader.read_chunk(chunk, start, end - start, on_fault=on_fault)
    low, high = cipher_range(start, end, chunk.size_bytes)
    sealed = reader.read_chunk(chunk, low, high - low, on_fault=on_fault)
    return b"".join(decrypt_range(data_key, chunk.id, [sealed], cipher_bytes=chunk.size_bytes, start=start, end=end))
