"""Segments as tests need them: written down in memory, or in rows, sealed and counted without waiting."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from chunks.errors import SegmentsUnavailable
from chunks.models import Segment
from chunks.packing import NewSegment, Packer
from chunks.records import ChunkView, WrittenChunk
from chunks.services import process_packer
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import Cluster
from tests.unit.chunks.rows import publish


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
