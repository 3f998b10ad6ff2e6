"""Compare the chunks' rows with what lies on the nodes, in both directions, and change nothing.

For people who want to know whether everything is as it should be; the duties (scrub, repair, sweep) need none of this.
Rows are read in ranges of their ids and directories one at a time, so memory is bounded whatever the store holds. The
system may run meanwhile: what looks wrong is looked at again before it is reported, by the row as it is then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from chunks import topology as topologies
from chunks.errors import ChunkError, FragmentCorrupt, FragmentMissing, NodeUnavailable
from chunks.fragment_format import fragment_name
from chunks.models import Garbage
from chunks.reader import check_fragment, fault_kind, fragment_size_bytes, stored_name
from chunks.records import CHUNK_COLUMNS_SQL, ChunkView, FaultKind, GarbageState
from chunks.services.orphans import find_orphan_segments, find_orphans
from chunks.stores.protocol import StoredFragment
from chunks.topology import NodeEntry, Topology

CHUNK_BATCH_SIZE = 1000
LISTING_BATCH_SIZE = 1000
_TRIES = 3

# Plan: a range of the primary key.
_LIST_CHUNKS = f"SELECT {CHUNK_COLUMNS_SQL} FROM chunks_chunk c WHERE c.id > %s ORDER BY c.id LIMIT %s"  # noqa: S608
_FIND_CHUNK = f"SELECT {CHUNK_COLUMNS_SQL} FROM chunks_chunk c WHERE c.id = %s"  # noqa: S608  put together from constants


class FragmentProblem(StrEnum):
    """What can be wrong between the rows and the nodes."""

    MISSING = "fragment missing"
    CORRUPT = "fragment corrupt"
    UNREACHABLE = "fragment out of reach"
    ORPHAN = "fragment or segment that no row names"
    NODE_UNREACHABLE = "node out of reach"


_PROBLEMS = {
    FaultKind.MISSING: FragmentProblem.MISSING,
    FaultKind.CORRUPT: FragmentProblem.CORRUPT,
    FaultKind.UNREACHABLE: FragmentProblem.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class FragmentFinding:
    """Something that is not as it should be, in words for people."""

    problem: FragmentProblem
    subject: str


@dataclass(slots=True)
class Inspected:
    """How much was looked at so far."""

    chunks: int = 0
    fragments: int = 0
    read_bytes: int = 0
    listed: int = 0


def inspect_chunks(
    inspected: Inspected, *, is_deep: bool, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS
) -> Iterator[FragmentFinding]:
    """Yield every fragment that is not on the node that its chunk's row names, whole (`is_deep`: read and checked).

    A look-up for each fragment, or a read of all of it; a query for a thousand chunks.
    """
    topology = topology or topologies.current()
    after = UUID(int=0)
    while True:
        with connections[using].cursor() as cursor:
            cursor.execute(_LIST_CHUNKS, [after, CHUNK_BATCH_SIZE])
            chunks = [ChunkView(*row) for row in cursor.fetchall()]
        for chunk in chunks:
            inspected.chunks += 1
            yield from _inspect_chunk(chunk, inspected, is_deep=is_deep, topology=topology, using=using)
        if not chunks:
            return
        after = chunks[-1].id


def _inspect_chunk(
    chunk: ChunkView, inspected: Inspected, *, is_deep: bool, topology: Topology, using: str
) -> Iterator[FragmentFinding]:
    for _ in range(_TRIES):
        found = [
            (index, error)
            for index in range(len(chunk.node_ids))
            if (error := _inspect_fragment(chunk, index, is_deep=is_deep, topology=topology)) is not None
        ]
        if not found:
            break
        with connections[using].cursor() as cursor:
            cursor.execute(_FIND_CHUNK, [chunk.id])
            row = cursor.fetchone()
        if row is None:
            return  # deleted meanwhile
        if ChunkView(*row) == chunk:
            for index, error in found:
                node = topology.nodes.get(chunk.node_ids[index])
                name = node.name if node else f"node {chunk.node_ids[index]}"
                subject = f"{fragment_name(chunk.id, index)} on {name}: {error}"
                yield FragmentFinding(_PROBLEMS[fault_kind(error)], subject)
            break
        chunk = ChunkView(*row)  # moved meanwhile
    inspected.fragments += len(chunk.node_ids)
    inspected.read_bytes += len(chunk.node_ids) * fragment_size_bytes(chunk) if is_deep else 0


def _inspect_fragment(chunk: ChunkView, index: int, *, is_deep: bool, topology: Topology) -> ChunkError | None:
    node_id = chunk.node_ids[index]
    try:
        if not topology.is_usable_for_reading(node_id):
            raise NodeUnavailable("the node is down or failed just now")
        if is_deep:
            check_fragment(chunk, index, topology)
        else:
            _check_size(chunk, index, topology)
    except ChunkError as error:
        return error
    return None


def _check_size(chunk: ChunkView, index: int, topology: Topology) -> None:
    node_id = chunk.node_ids[index]
    try:
        found = topology.store(node_id).stat_fragment(stored_name(chunk, index))
    except NodeUnavailable:
        topology.report_failure(node_id)
        raise
    if found is None:
        raise FragmentMissing("not there")
    if chunk.segment_offset is not None:
        if found.size_bytes < chunk.segment_offset + fragment_size_bytes(chunk):
            raise FragmentCorrupt(f"its segment ends after {found.size_bytes} bytes")
    elif found.size_bytes != fragment_size_bytes(chunk):
        raise FragmentCorrupt(f"{found.size_bytes} bytes instead of {fragment_size_bytes(chunk)}")


def inspect_nodes(
    inspected: Inspected, *, written_before: datetime, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS
) -> Iterator[FragmentFinding]:
    """Yield what nodes keep, written before a time, and no chunk names; what waits to be unlinked is none of these.

    A listing of every node; a query or two for a thousand fragments.
    """
    topology = topology or topologies.current()
    for node in topology.nodes.values():
        if not node.state.is_readable:
            continue  # people know; what chunks name there is found missing by `inspect_chunks`
        try:
            store = topology.store(node.id)
            for shard in range(store.shard_count):
                listing = store.list_shard(shard)
                while batch := list(islice(listing, LISTING_BATCH_SIZE)):
                    inspected.listed += len(batch)
                    old = [found for found in batch if found.modified_at < written_before]
                    yield from _inspect_listing(old, node, topology, using)
        except NodeUnavailable as error:
            yield FragmentFinding(FragmentProblem.NODE_UNREACHABLE, f"{node.name}: {error}")


def _inspect_listing(
    old: list[StoredFragment], node: NodeEntry, topology: Topology, using: str
) -> Iterator[FragmentFinding]:
    orphans = list(find_orphans(old, node_id=node.id, databases=(using,)))
    segments = [found for found, _ in find_orphan_segments(old, node_id=node.id, databases=(using,))]
    unlinks = Garbage.objects.using(using).filter(state=GarbageState.UNLINK)
    awaited = set(unlinks.filter(chunk_id__in={orphan[1] for orphan in orphans}).values_list("chunk_id", flat=True))
    names = [found.name for found, chunk_id, _ in orphans if chunk_id not in awaited]
    names += [found.name for found in segments]
    names += [found.name for found in old if found.is_unfinished]
    for name in names:
        if topology.store(node.id).stat_fragment(name) is not None:  # not deleted since it was listed
            yield FragmentFinding(FragmentProblem.ORPHAN, f"{name} on {node.name}")
