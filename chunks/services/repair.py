"""Make chunks whole again: rebuild fragments that are missing, damaged, out of reach or crowded.

A fault is a hint. The repairer looks at the fragment itself, so reporting one twice, wrongly or late does no harm.

The chunk's row is locked while its fragments are examined and written. This is the one transaction that spans I/O; it
is bounded by one chunk, and the lock is what keeps two repairers, the sweep of orphans and the deletion of the chunk
from acting on what is about to change. Readers don't lock, and new extents may refer to the chunk meanwhile.

Killed at any point, it leaves the row as it was and at most fragments that no row names, which the sweep deletes.

A chunk in a segment is repaired with its segment, where that is settled and a whole copy is missing: one file for
thousands of chunks (`segment_copies`). Otherwise it moves to another segment (`repacking`), once its row is let go.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone

from chunks import topology as topologies
from chunks.erasure import parse_scheme
from chunks.errors import ChunkError, FragmentCorrupt, NodeUnavailable, NoSpace, NotEnoughNodes
from chunks.fragment_format import checksum_of, fragment_name
from chunks.models import Chunk, FragmentFault
from chunks.reader import check_fragment, fault_kind, read_chunk
from chunks.records import NEEDED_FRAGMENTS_SQL, ChunkView, FaultKind, FaultRecord, signed
from chunks.services.faults import record_faults
from chunks.services.packed_repair import follow_segment, repack_unsettled, repair_packed
from chunks.services.repair_run import (
    NO_BETTER_PLACE,
    WAITING,
    Repair,
    RepairReport,
    candidates,
    misplaced,
    postpone,
)
from chunks.topology import Topology
from chunks.writer import EncodedChunk, encode_chunk, write_fragment

# A node that restarts must not set off the copying of all that it holds.
UNREACHABLE_GRACE_SECONDS = 600.0

# The chunks that fewest more losses would lose come first, and among them the longest due. A crowded fragment is no loss.
# Plan: all faults, hashed by chunk, and the chunk's primary key for each: seconds for half a million faults, so it is
# asked once for many repairs.
_CHOOSE_CHUNKS = f"""
SELECT c.id FROM chunks_fragmentfault f JOIN chunks_chunk c ON c.id = f.chunk_id
 GROUP BY c.id HAVING min(f.next_attempt_at) <= statement_timestamp()
 ORDER BY cardinality(c.node_ids) - count(*) FILTER (WHERE f.kind <> 'misplaced') - {NEEDED_FRAGMENTS_SQL},
          min(f.next_attempt_at)
 LIMIT %s
"""  # noqa: S608  put together from constants

# SKIP LOCKED: the rivals are another repairer, the scrub, the sweep, and whoever moves or deletes the chunk. One of them
# may have settled the faults since they were chosen.
_CLAIM_CHUNK = """
SELECT c.id FROM chunks_chunk c
 WHERE c.id = %s AND EXISTS (
       SELECT FROM chunks_fragmentfault f WHERE f.chunk_id = c.id AND f.next_attempt_at <= statement_timestamp())
   FOR NO KEY UPDATE OF c SKIP LOCKED
"""


def repair_faults(
    *,
    limit: int = 100,
    seconds_max: float = float("inf"),
    unreachable_grace_seconds: float = UNREACHABLE_GRACE_SECONDS,
    topology: Topology | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> RepairReport:
    """Repair up to `limit` chunks with due faults, the most endangered first; safe to run in many processes at once.

    Begins none after `seconds_max`: what has become due or more endangered meanwhile is seen by the next call.

    A fragment that can't be reached is rebuilt elsewhere once its fault is older than the grace period, or at once if
    its node is marked as down. What can't be repaired now is tried again, ever less often.
    """
    repair = Repair(topology or topologies.current(), unreachable_grace_seconds, using, RepairReport())
    with connections[using].cursor() as cursor:
        cursor.execute(_CHOOSE_CHUNKS, [limit])
        chosen = [row[0] for row in cursor.fetchall()]
        until = time.monotonic() + seconds_max
        for chunk_id in chosen:
            if time.monotonic() > until:
                break
            with transaction.atomic(using=using):
                cursor.execute(_CLAIM_CHUNK, [chunk_id])
                if cursor.fetchone() is not None:
                    _repair_locked(repair, Chunk.objects.using(using).get(pk=chunk_id))
            repack_unsettled(repair)
    return repair.report


def repair_chunk(chunk_id: UUID, *, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS) -> RepairReport:
    """Repair the faults of one chunk now, due or not, without any grace. Does nothing if the chunk is gone."""
    repair = Repair(topology or topologies.current(), 0.0, using, RepairReport())
    with transaction.atomic(using=using):
        chunk = Chunk.objects.using(using).select_for_update(no_key=True).filter(pk=chunk_id).first()
        if chunk is not None:
            _repair_locked(repair, chunk)
    repack_unsettled(repair)
    return repair.report


def _repair_locked(repair: Repair, row: Chunk) -> None:
    """Repair what is wrong with a chunk whose row is locked."""
    repair = replace(repair, topology=repair.topology.for_class(row.storage_class))
    # Read after the lock was got: a rival may just have settled them.
    faults = list(FragmentFault.objects.using(repair.using).filter(chunk_id=row.id).order_by("fragment_index"))
    follow_segment(row, faults, using=repair.using)
    chunk = ChunkView(
        row.id,
        row.size_bytes,
        row.scheme,
        tuple(row.node_ids),
        row.segment_id,
        row.segment_offset,
        row.storage_class,
    )
    wrong = {fault.fragment_index: _diagnose(chunk, fault.fragment_index, repair.topology) for fault in faults}
    waiting = {fault.fragment_index for fault in faults if _must_wait(repair, fault, wrong[fault.fragment_index])}
    to_rebuild = {index: kind for index, kind in wrong.items() if kind is not None and index not in waiting}
    if chunk.is_packed:
        repair_packed(repair, chunk, faults, wrong, waiting)
        return
    node_ids, errors = list(chunk.node_ids), dict.fromkeys(waiting, WAITING)
    if to_rebuild:
        try:
            encoded = _read_and_encode(repair, chunk, row.checksum, to_rebuild)
        except ChunkError as error:
            errors.update(dict.fromkeys(to_rebuild, str(error)))
        else:
            _rebuild(repair, encoded, to_rebuild, node_ids, errors)
    if tuple(node_ids) != chunk.node_ids:
        Chunk.objects.using(repair.using).filter(pk=chunk.id).update(node_ids=node_ids)
        transaction.on_commit(lambda: _delete_old_copies(chunk, node_ids, repair.topology), using=repair.using)
    crowded = set(misplaced(chunk.id, node_ids, repair.topology))
    for fault in faults:
        index = fault.fragment_index
        if index in errors:
            postpone(repair, fault, wrong[index] or FaultKind.MISPLACED, errors[index])
        elif index in crowded:
            fault.node_id = node_ids[index]
            postpone(repair, fault, FaultKind.MISPLACED, NO_BETTER_PLACE)
        else:
            fault.delete(using=repair.using)
            if index in to_rebuild:
                repair.report.rebuilt += 1
            else:
                repair.report.found_well += 1


def _diagnose(chunk: ChunkView, index: int, topology: Topology) -> FaultKind | None:
    """Return what is wrong with a fragment now, after reading all of it.

    A handle to a directory that was moved or unmounted may still read it: where it should be is for the probe to say.
    """
    if topology.is_out_of_reach(chunk.node_ids[index]):
        return FaultKind.UNREACHABLE
    try:
        check_fragment(chunk, index, topology)
    except ChunkError as error:
        return fault_kind(error)
    return FaultKind.MISPLACED if index in misplaced(chunk.id, chunk.node_ids, topology) else None


def _must_wait(repair: Repair, fault: FragmentFault, kind: FaultKind | None) -> bool:
    node = repair.topology.nodes.get(fault.node_id)
    if kind is not FaultKind.UNREACHABLE or node is None or not node.state.is_readable:
        return False
    return timezone.now() - fault.detected_at < timedelta(seconds=repair.unreachable_grace_seconds)


def _read_and_encode(repair: Repair, chunk: ChunkView, checksum: int, known_faults: Collection[int]) -> EncodedChunk:
    """Read the chunk from what is left of it; what else is found wrong on the way is recorded."""
    also_wrong: list[FaultRecord] = []
    data = read_chunk(chunk, topology=repair.topology, on_fault=also_wrong.append)
    if signed(checksum_of(data)) != checksum:
        raise FragmentCorrupt("the fragments agree with themselves and not with the chunk's checksum")
    record_faults((fault for fault in also_wrong if fault.fragment_index not in known_faults), using=repair.using)
    return encode_chunk(chunk.id, parse_scheme(chunk.scheme), memoryview(data))


def _rebuild(
    repair: Repair,
    encoded: EncodedChunk,
    to_rebuild: Mapping[int, FaultKind],
    node_ids: list[int],
    errors: dict[int, str],
) -> None:
    """Write fragments anew, and put their nodes into `node_ids` or the reasons why not into `errors`."""
    for index, kind in to_rebuild.items():
        try:
            node_ids[index] = _write_somewhere(encoded, index, kind, node_ids, repair.topology)
        except NotEnoughNodes as error:
            errors[index] = str(error)


def _write_somewhere(
    encoded: EncodedChunk, index: int, kind: FaultKind, node_ids: Sequence[int], topology: Topology
) -> int:
    """Write one fragment to the best node that takes it, and return that node."""
    for node_id in candidates(encoded.id, index, kind, node_ids, topology):
        with suppress(NodeUnavailable, NoSpace):
            write_fragment(encoded, index, node_id, topology)
            return node_id
    raise NotEnoughNodes(f"no node in reach should take fragment {index}")


def _delete_old_copies(chunk: ChunkView, node_ids: Sequence[int], topology: Topology) -> None:
    """Delete the fragments that the chunk's row no longer names; what can't be reached is an orphan, and swept."""
    for index, (old, new) in enumerate(zip(chunk.node_ids, node_ids, strict=True)):
        if old != new:
            with suppress(ChunkError):
                topology.store(old).delete_fragment(fragment_name(chunk.id, index))
