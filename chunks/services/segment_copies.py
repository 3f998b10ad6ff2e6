"""Write a copy of a segment anew: onto another node, or onto its own where it is damaged.

What repair and moves do with a settled segment: thousands of chunks for one file. All copies are the same bytes, so any
of them gives a fragment; each is checked before it is written, and what is damaged everywhere is taken over as it is,
for people to look at. What no chunk lies in becomes zeros.

The segment's row is locked in the caller's transaction while the copy is written, against rivals and the sweep, and the
rows of its chunks are changed in the same transaction. Killed before the commit, a new copy is an orphan.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connections, transaction
from django.db.models.functions import Now

from chunks.errors import ChunkError, ChunksBusy, NodeUnavailable, NoSpace
from chunks.fragment_format import segment_name
from chunks.models import FragmentFault, Segment
from chunks.reader import fragment_size_bytes, read_fragment
from chunks.records import ChunkView, FaultKind, FaultRecord
from chunks.services.faults import record_faults
from chunks.services.segments import LockedSegment, list_chunks
from chunks.topology import Topology

CROWDED_RETRY = timedelta(minutes=10)
_ZEROS = bytes(64 * 1024)

# In order, and never waiting for others, as whoever holds one of these rows already would do out of order: the collector
# may hold some, or a repairer one. Plan: a range of chunk_by_segment, sorted; the primary keys.
_LOCK_ROWS = "SELECT c.id FROM chunks_chunk c WHERE c.segment_id = %s ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED"
_MOVE_ROWS = "UPDATE chunks_chunk SET node_ids = %s::smallint[] WHERE id = ANY(%s)"
_COUNT_CHUNKS = "SELECT count(*) FROM chunks_chunk WHERE segment_id = %s"


@dataclass(frozen=True, slots=True)
class WrittenCopies:
    """What became of a segment: its nodes now, its size, the chunks in it, and those that could not be read anywhere."""

    node_ids: tuple[int, ...]
    size_bytes: int
    chunk_count: int
    unreadable: Mapping[UUID, str]


def write_copies(
    segment: LockedSegment,
    targets: Mapping[int, int],
    *,
    crowded: Collection[int] = (),
    topology: Topology,
    using: str,
) -> WrittenCopies:
    """Write copies anew, each on the node that `targets` gives for its index, and change the rows to say so.

    The faults of these fragments are settled, but for the indexes in `crowded`, which wait for a better place.

    Holds a segment in memory. NodeUnavailable or NoSpace from a target, ChunksBusy where rows of chunks are in other hands;
    then no row has changed. Four statements.
    """
    chunks = list_chunks(segment.id, using=using)
    unreadable: dict[UUID, str] = {}
    buffers, size_bytes = _assemble(chunks, segment, unreadable, topology)
    for target in targets.values():
        _write(segment.id, buffers, target, topology)
    node_ids = tuple(targets.get(index, node_id) for index, node_id in enumerate(segment.node_ids))
    with connections[using].cursor() as cursor:
        cursor.execute(_LOCK_ROWS, [segment.id])
        locked = [row[0] for row in cursor.fetchall()]
        cursor.execute(_COUNT_CHUNKS, [segment.id])
        if len(locked) != cursor.fetchone()[0]:
            raise ChunksBusy("some chunks of the segment are in other hands")
        cursor.execute(_MOVE_ROWS, [list(node_ids), locked])
    Segment.objects.using(using).filter(pk=segment.id).update(node_ids=list(node_ids))
    sound = [chunk.id for chunk in chunks if chunk.id not in unreadable]
    for index, target in targets.items():
        faults = FragmentFault.objects.using(using).filter(fragment_index=index, chunk_id__in=sound)
        if index in crowded:
            faults.update(
                node_id=target, kind=FaultKind.MISPLACED, next_attempt_at=Now() + CROWDED_RETRY, last_error=""
            )
        else:
            faults.delete()
    record_faults(
        (
            FaultRecord(chunk_id, index, target, FaultKind.CORRUPT, error)
            for chunk_id, error in unreadable.items()
            for index, target in targets.items()
        ),
        using=using,
    )
    return WrittenCopies(node_ids, size_bytes, len(chunks), unreadable)


def delete_left_copies(segment: LockedSegment, copies: WrittenCopies, *, topology: Topology, using: str) -> None:
    """Delete the files on nodes that the segment has left, once the transaction is committed.

    What can't be reached then is an orphan, and swept.
    """
    left = set(segment.node_ids) - set(copies.node_ids)

    def delete() -> None:
        for node_id in left:
            with suppress(ChunkError):
                topology.store(node_id).delete_fragment(segment_name(segment.id))

    transaction.on_commit(delete, using=using)


def _assemble(
    chunks: Sequence[ChunkView], segment: LockedSegment, unreadable: dict[UUID, str], topology: Topology
) -> tuple[list[bytes], int]:
    """Return the bytes of a copy, checked, and how many they are."""
    buffers: list[bytes] = []
    position = 0
    for chunk in chunks:
        assert chunk.segment_offset is not None
        try:
            data = _read_anywhere(chunk, segment, topology)
        except ChunkError as error:
            unreadable[chunk.id] = str(error)
            data = _read_damaged(chunk, segment, topology)
        gap = chunk.segment_offset - position
        buffers += [_ZEROS[: min(gap - start, len(_ZEROS))] for start in range(0, gap, len(_ZEROS))]
        buffers.append(data)
        position = chunk.segment_offset + len(data)
    return buffers, position


def _read_anywhere(chunk: ChunkView, segment: LockedSegment, topology: Topology) -> bytes:
    """Return a chunk's fragment from the first copy that has it whole. Raises what the last one said."""
    failure: ChunkError = NodeUnavailable("no copy is in reach")
    order = sorted(
        range(len(segment.node_ids)), key=lambda index: not topology.is_usable_for_reading(segment.node_ids[index])
    )
    view = ChunkView(chunk.id, chunk.size_bytes, chunk.scheme, segment.node_ids, chunk.segment_id, chunk.segment_offset)
    for index in order:
        try:
            return read_fragment(view, index, topology)
        except ChunkError as error:
            failure = error
    raise failure


def _read_damaged(chunk: ChunkView, segment: LockedSegment, topology: Topology) -> bytes:
    """Return what lies where a fragment should be, unchecked; nothing if no copy can be read there."""
    assert chunk.segment_offset is not None
    for node_id in segment.node_ids:
        with suppress(ChunkError):
            return topology.store(node_id).read_range(
                segment_name(segment.id), chunk.segment_offset, fragment_size_bytes(chunk)
            )
    return b""


def _write(segment_id: UUID, buffers: Sequence[bytes], target: int, topology: Topology) -> None:
    if target not in topology.usable_for_writing():
        raise NodeUnavailable("the node is nearly full or failed just now")
    try:
        topology.store(target).write_fragment(segment_name(segment_id), buffers)
    except NoSpace:
        topology.report_full(target)
        raise
    except NodeUnavailable:
        topology.report_failure(target)
        raise
