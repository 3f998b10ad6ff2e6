"""After the metadata was restored to a moment a little ago: rows follow fragments and segments that have moved since.

A file says in its name what it is. Where a row names a node that does not have it, and another node has it, the row is wrong
and not the disk.
"""

from collections.abc import Iterable
from itertools import islice
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction

from chunks import topology as topologies
from chunks.errors import NodeUnavailable
from chunks.fragment_format import fragment_name, segment_name
from chunks.models import Chunk, Segment
from chunks.services.orphans import BATCH_SIZE, find_orphan_segments, find_orphans
from chunks.stores.protocol import StoredFragment
from chunks.topology import Topology


def adopt_moved_fragments(*, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS) -> int:
    """Correct the rows of chunks and segments that are elsewhere; return how many files were found so.

    A listing of every node, two queries for a thousand files, and a look at the named node for each that has moved.
    """
    topology = topology or topologies.current()
    count = 0
    for node in topology.nodes.values():
        try:
            store = topology.store(node.id)
            for shard in range(store.shard_count):
                listing = store.list_shard(shard)
                while batch := list(islice(listing, BATCH_SIZE)):
                    count += _adopt_all(batch, node.id, topology, using)
        except NodeUnavailable:
            continue  # what it holds is found again by the repairer
    return count


def _adopt_all(kept: Iterable[StoredFragment], node_id: int, topology: Topology, using: str) -> int:
    kept = list(kept)
    fragments = find_orphans(kept, node_id=node_id, databases=(using,))
    segments = find_orphan_segments(kept, node_id=node_id, databases=(using,))
    return sum(_adopt_fragment(chunk_id, index, node_id, topology, using) for _, chunk_id, index in fragments) + sum(
        _adopt_segment(segment_id, node_id, topology, using) for _, segment_id in segments
    )


def _adopt_fragment(chunk_id: UUID, index: int, node_id: int, topology: Topology, using: str) -> bool:
    with transaction.atomic(using=using):
        chunks = Chunk.objects.using(using).filter(pk=chunk_id, segment_id=None)
        chunk = chunks.select_for_update(no_key=True).first()
        if chunk is None or index >= len(chunk.node_ids):
            return False
        if _has(topology, chunk.node_ids[index], fragment_name(chunk_id, index)):
            return False
        chunk.node_ids[index] = node_id
        chunk.save(using=using, update_fields=["node_ids"])
    return True


def _adopt_segment(segment_id: UUID, node_id: int, topology: Topology, using: str) -> bool:
    """Put the node in place of one that has no copy; the chunks in a segment are where it is."""
    with transaction.atomic(using=using):
        segment = Segment.objects.using(using).select_for_update(no_key=True).filter(pk=segment_id).first()
        if segment is None or node_id in segment.node_ids:
            return False
        lacking = [one for one in segment.node_ids if not _has(topology, one, segment_name(segment_id))]
        if not lacking:
            return False
        segment.node_ids[segment.node_ids.index(lacking[0])] = node_id
        segment.save(using=using, update_fields=["node_ids"])
        Chunk.objects.using(using).filter(segment_id=segment_id).update(node_ids=segment.node_ids)
    return True


def _has(topology: Topology, node_id: int, name: str) -> bool:
    try:
        return topology.store(node_id).stat_fragment(name) is not None
    except NodeUnavailable:
        return False
