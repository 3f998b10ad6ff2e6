"""Segments as tests need them: written down in memory, or in rows, sealed and counted without waiting."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from chunks.errors import SegmentsUnavailable
from chunks.inspection import Inspected, inspect_chunks, inspect_nodes
from chunks.models import FragmentFault, Segment
from chunks.open_segment import NewSegment
from chunks.packing import Packer
from chunks.reader import read_chunk
from chunks.records import ChunkView, FaultKind, FaultRecord, WrittenChunk
from chunks.services import (
    compact_segments,
    count_segments,
    delete_empty_segments,
    process_packer,
    record_faults,
)
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, publish

DATA = random.Random(8).randbytes(100 * KIBIBYTE)
BODIES = [DATA[start * 500 : start * 500 + 700 + start] for start in range(40)]


class Ledger:
    """A registry without a database."""

    def __init__(self) -> None:
        self.begun: list[NewSegment] = []
        self.sealed: dict[UUID, int] = {}
        self.is_broken = False

    def register(self, segment: NewSegment) -> None:
        if self.is_broken:
            raise SegmentsUnavailable("switched off")
        self.begun.append(segment)

    def seal(self, segment_id: UUID, size_bytes: int) -> None:
        if self.is_broken:
            raise SegmentsUnavailable("switched off")
        self.sealed[segment_id] = size_bytes


def write_all(cluster: Cluster, packer: Packer, bodies: Sequence[bytes], *, writers: int = 8) -> list[WrittenChunk]:
    """Write chunks from many threads at once."""
    with ThreadPoolExecutor(writers) as threads:
        return list(threads.map(lambda body: write_chunk(body, topology=cluster.topology, packer=packer), bodies))


def packed(cluster: Cluster, *bodies: bytes) -> list[ChunkView]:
    """Publish chunks in one segment of this process."""
    views = [publish(write_chunk(body, topology=cluster.topology, packer=process_packer())) for body in bodies]
    assert len({view.segment_id for view in views}) == 1
    return views


def settle() -> None:
    """Have this process leave its open segments, so long ago that nobody is publishing into them any more."""
    process_packer().close()
    Segment.objects.update(sealed_at=timezone.now() - timedelta(days=2))


def report(chunk: ChunkView, index: int, kind: FaultKind = FaultKind.MISSING) -> None:
    record_faults([FaultRecord(chunk.id, index, chunk.node_ids[index], kind)])


def assert_whole(cluster: Cluster, chunks: list[ChunkView], bodies: list[bytes] = BODIES) -> None:
    for chunk, body in zip(chunks, bodies, strict=True):
        now = current_view(chunk)
        assert read_chunk(now, topology=cluster.topology) == body
        assert cluster.is_well(now)
    assert not FragmentFault.objects.exists()
    assert problems(cluster) == []


def problems(cluster: Cluster) -> list[str]:
    later = timezone.now() + timedelta(minutes=1)
    found = [
        *inspect_chunks(Inspected(), is_deep=True, topology=cluster.topology),
        *inspect_nodes(Inspected(), written_before=later, topology=cluster.topology),
    ]
    return [f"{one.problem}: {one.subject}" for one in found]


def collect(cluster: Cluster) -> tuple[int, int]:
    """Return how many chunks were moved and segments deleted, until there is nothing to do."""
    moved = deleted = 0
    while True:
        count_segments()
        gone = delete_empty_segments(sealed_grace_seconds=0, empty_grace_seconds=0, topology=cluster.topology)
        now = compact_segments(settled_seconds=0, topology=cluster.topology)
        moved, deleted = moved + now, deleted + gone
        if not now and not gone:
            return moved, deleted


def used_bytes(cluster: Cluster) -> int:
    return sum(path.stat().st_size for path in cluster.fragments())
