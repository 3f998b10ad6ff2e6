"""After the metadata was restored to a moment a little ago: rows follow fragments that have moved since.

A fragment says in its name which part of which chunk it is. Where a row names a node that does not have the fragment, and
another node has it, the row is wrong and not the disk.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction

from chunks import topology as topologies
from chunks.errors import NodeUnavailable
from chunks.fragment_format import fragment_name, segment_name
from chunks.models import Chunk, Segment
from chunks.services.orphans import BATCH_SIZE, find_orphan_segments, find_orphans
from chunks.topology import Topology


def adopt_moved_fragments(*, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS) -> int:
    """Correct the rows of chunks whose fragments are elsewhere; return how many fragments were found so.

    A listing of every node, one query for a thousand fragments, and a look at the named node for each that has moved.
    """
    topology = topology or topologies.current()
    count = 0
    for node in topology.nodes.values():
        try:
            store = topology.store(node.id)
            for shard in range(store.shard_count):
                listing = store.list_shard(shard)
                while batch := list(islice(listing, BATCH_SIZE)):
                    elsewhere = defaultdict(list)
                    for _, chunk_id, index in find_orphans(batch, node_id=node.id, databases=(using,)):
                        elsewhere[chunk_id].append(index)
                    for _, segment_id in find_orphan_segments(batch, node_id=node.id, databases=(using,)):
                        count += _adopt_copy(segment_id, node.id, topology, using)
                    for chunk_id, indexes in elsewhere.items():
                        count += _adopt(chunk_id, indexes, node.id, topology, using)
        except NodeUnavailable:
            continue  # what it holds is found again by the repairer
    return count


@transaction.atomic
def _adopt(chunk_id: UUID, indexes: Sequence[int], node_id: int, topology: Topology, using: str) -> int:
    chunk = Chunk.objects.using(using).select_for_update(no_key=True).filter(pk=chunk_id).first()
    if chunk is None:
        return 0
    missing = [
        index
        for index in indexes
        if index < len(chunk.node_ids) and not _has(topology, chunk.node_ids[index], fragment_name(chunk_id, index))
    ]
    for index in missing:
        chunk.node_ids[index] = node_id
    if missing:
        chunk.save(update_fields=["node_ids"])
    return len(missing)


@transaction.atomic
def _adopt_copy(segment_id: UUID, node_id: int, topology: Topology, using: str) -> int:
    """Let a segment and its chunks name a node that has a copy, instead of one that has none any more."""
    segment = Segment.objects.using(using).select_for_update(no_key=True).filter(pk=segment_id).first()
    if segment is None or node_id in segment.node_ids:
        return 0
    for index, named in enumerate(segment.node_ids):
        if not _has(topology, named, segment_name(segment_id)):
            segment.node_ids[index] = node_id
            segment.save(update_fields=["node_ids"])
            return Chunk.objects.using(using).filter(segment_id=segment_id).update(node_ids=segment.node_ids)
    return 0


def _has(topology: Topology, node_id: int, name: str) -> bool:
    try:
        return topology.store(node_id).stat_fragment(name) is not None
    except NodeUnavailable:
        return False
