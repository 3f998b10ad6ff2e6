"""Put chunks into the database as the layer above does."""

from __future__ import annotations

from chunks.models import Chunk, FragmentFault
from chunks.records import ChunkView, WrittenChunk
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import Cluster


def publish(written: WrittenChunk) -> ChunkView:
    Chunk.objects.create(
        id=written.id,
        size_bytes=written.size_bytes,
        scheme=written.scheme,
        node_ids=list(written.node_ids),
        checksum=written.checksum,
        storage_class=written.storage_class,
        segment_id=written.segment_id,
        segment_offset=written.segment_offset,
    )
    for fault in written.faults:
        FragmentFault.objects.create(
            chunk_id=fault.chunk_id,
            fragment_index=fault.fragment_index,
            node_id=fault.node_id,
            kind=fault.kind.value,
            last_error=fault.last_error,
        )
    return written.as_view()


def published(cluster: Cluster, data: bytes) -> ChunkView:
    return publish(write_chunk(data, topology=cluster.topology))


def current_view(chunk: ChunkView) -> ChunkView:
    row = Chunk.objects.get(pk=chunk.id)
    return ChunkView(
        row.id,
        row.size_bytes,
        row.scheme,
        tuple(row.node_ids),
        row.segment_id,
        row.segment_offset,
        row.storage_class,
    )
