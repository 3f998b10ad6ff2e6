"""Repair chunks that lie in segments.

Where a whole copy is missing or out of reach and the segment is settled, the copy is written anew: one file settles
thousands of faults. Otherwise the chunk moves to another segment: where its fragment alone is damaged, or the segment
is still written to. That needs its row let go first, so it follows when the transaction is over.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from chunks.errors import ChunkError
from chunks.models import Chunk, FragmentFault
from chunks.records import ChunkView, FaultKind
from chunks.services.repacking import repack_chunks
from chunks.services.repair_run import NO_BETTER_PLACE, WAITING, Repair, candidates, misplaced, postpone
from chunks.services.segment_copies import WrittenCopies, delete_left_copies, write_copies
from chunks.services.segments import lock_segment


def follow_segment(row: Chunk, faults: Sequence[FragmentFault], *, using: str) -> None:
    """Set a packed chunk's nodes, whose row is locked, to those of its segment: it is where that is.

    They differ where a chunk was published into a segment of which a copy had moved since the chunk was written. A segment
    in other hands is not waited for; whoever has it sets the chunk's nodes, too.
    """
    if row.segment_id is None:
        return
    segment = lock_segment(row.segment_id, using=using)
    if segment is None or tuple(row.node_ids) == segment.node_ids:
        return
    row.node_ids = list(segment.node_ids)
    row.save(using=using, update_fields=["node_ids"])
    for fault in faults:
        fault.node_id = row.node_ids[fault.fragment_index]


def repair_packed(
    repair: Repair,
    chunk: ChunkView,
    faults: Sequence[FragmentFault],
    wrong: Mapping[int, FaultKind | None],
    waiting: Collection[int],
) -> None:
    """Repair a packed chunk whose row is locked; `wrong` says what its faults turned out to be."""
    to_rebuild: dict[int, FaultKind] = {}
    for fault in faults:
        kind = wrong[fault.fragment_index]
        if kind is None:
            fault.delete(using=repair.using)
            repair.report.found_well += 1
        elif fault.fragment_index in waiting:
            postpone(repair, fault, kind, WAITING)
        else:
            to_rebuild[fault.fragment_index] = kind
    if not to_rebuild:
        return
    copies = _rebuild_copies(repair, chunk, to_rebuild)
    if copies is not None:
        error = copies.unreadable.get(chunk.id)
        repair.report.rebuilt += 0 if error else len(to_rebuild)
    elif _may_improve(repair, chunk, to_rebuild):
        repair.to_repack[chunk.id] = to_rebuild
        return
    else:
        error = NO_BETTER_PLACE
    if error is not None:
        for fault in faults:
            if fault.fragment_index in to_rebuild:
                postpone(repair, fault, to_rebuild[fault.fragment_index], error)


def _may_improve(repair: Repair, chunk: ChunkView, to_rebuild: Mapping[int, FaultKind]) -> bool:
    """Say whether another segment could be better, and not only crowd other nodes."""
    return any(
        kind is not FaultKind.MISPLACED or candidates(chunk.placement_id, index, kind, chunk.node_ids, repair.topology)
        for index, kind in to_rebuild.items()
    )


def _rebuild_copies(repair: Repair, chunk: ChunkView, to_rebuild: Mapping[int, FaultKind]) -> WrittenCopies | None:
    """Write whole copies of a chunk's segment anew, and settle their faults; None where that can't be done."""
    assert chunk.segment_id is not None
    if FaultKind.CORRUPT in to_rebuild.values():
        return None
    segment = lock_segment(chunk.segment_id, using=repair.using)
    if segment is None or not segment.moves_with(chunk):
        return None
    node_ids = list(chunk.node_ids)
    for index, kind in to_rebuild.items():
        others = {*node_ids[:index], *node_ids[index + 1 :]}
        ranked = candidates(chunk.segment_id, index, kind, node_ids, repair.topology)
        if not ranked or ranked[0] in others:
            return None  # two copies on one node would be one file
        node_ids[index] = ranked[0]
    targets = {index: node_ids[index] for index in to_rebuild}
    crowded = misplaced(chunk.segment_id, node_ids, repair.topology)
    try:
        copies = write_copies(segment, targets, crowded=crowded, topology=repair.topology, using=repair.using)
    except ChunkError:
        return None
    delete_left_copies(segment, copies, topology=repair.topology, using=repair.using)
    return copies


def repack_unsettled(repair: Repair) -> None:
    """Move the chunks to another segment that could not be repaired in theirs. In no transaction."""
    wanted: dict[UUID, dict[int, FaultKind]] = dict(repair.to_repack)
    repair.to_repack.clear()
    if not wanted:
        return
    repacked = repack_chunks(wanted, topology=repair.topology, using=repair.using)
    for chunk_id, wrong in wanted.items():
        if chunk_id in repacked.moved:
            repair.report.rebuilt += len(wrong)
            continue
        error = repacked.errors.get(chunk_id, "in other hands")
        with transaction.atomic(using=repair.using):
            faults = FragmentFault.objects.using(repair.using).select_for_update(skip_locked=True)
            for fault in faults.filter(chunk_id=chunk_id, fragment_index__in=wrong):
                postpone(repair, fault, wrong[fault.fragment_index], error)
