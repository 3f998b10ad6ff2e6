"""Read the bytes of a version, verified, in bounded memory; record the faults met on the way."""

from __future__ import annotations

from collections.abc import Iterator

from chunks import reader
from chunks import services as chunk_services
from chunks.records import FaultRecord
from objects.selectors.lookup import VersionRecord, iterate_extents


def iterate_version(version: VersionRecord, start: int, length: int) -> Iterator[bytes]:
    """Yield `length` bytes of a version from `start`.

    Missing or corrupt fragments are worked around and queued for repair as rows. Raises chunks.errors.NotEnoughFragments
    when too many are gone.
    """
    faults: list[FaultRecord] = []
    end = start + length
    try:
        for extent in iterate_extents(version, start, length):
            first = max(start, extent.offset)
            last = min(end, extent.offset + extent.size)
            yield from reader.read_chunk_range(
                extent.chunk, extent.chunk_offset + first - extent.offset, last - first, on_fault=faults.append
            )
    finally:
        if faults:
            chunk_services.record_faults(faults)


def read_small_version(version: VersionRecord, start: int, length: int) -> bytes | None:
    """Return a range that lies within the first extent in one piece; None when it does not. No statement."""
    extent = version.first_extent
    if extent is None or start + length > extent.size:
        return None
    faults: list[FaultRecord] = []
    try:
        return reader.read_chunk(extent.chunk, extent.chunk_offset + start, length, on_fault=faults.append)
    finally:
        if faults:
            chunk_services.record_faults(faults)
