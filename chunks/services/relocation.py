"""Move fragments to where they belong: off draining nodes, and to nodes that joined.

A relocation is a row: what it is to do, how far its walk over all chunks has come, what it has moved. Whoever advances it
works off a part of the walk; killed, it is taken up where the row stands, and what is moved already is found at home.

A chunk is moved under its row's lock, like a repair: fragments are copied as they are, checked, written durably to their
new nodes, then the row names those. What lies in segments moves with its segment, where that is settled, and into another
one where it is not. Rebalancing moves all fragments of a chunk or none, so that it never crowds a node on
the way. The old copies go a little later: a reader may still follow the row as it was. Killed before, they are orphans.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import F
from django.db.models.functions import Now

from chunks.errors import ChunkError, NodeUnavailable, NoSpace
from chunks.fragment_format import fragment_name, segment_name
from chunks.models import Chunk, Relocation
from chunks.placement import place_with_hand_off, rank_candidates
from chunks.reader import fault_kind, read_fragment
from chunks.records import CHUNK_COLUMNS_SQL, ChunkView, FaultRecord, RelocationKind
from chunks.services.faults import record_faults
from chunks.services.repacking import repack_chunks
from chunks.services.segment_copies import write_copies
from chunks.services.segments import lock_segment
from chunks.topology import Topology

BATCH_SIZE = 1000
OLD_COPY_SECONDS = 30.0
_OLD_COPIES_MAX = 50_000

# Plan: a range of the primary key; for a drain, filtered.
_LIST_CHUNKS = f"""
SELECT {CHUNK_COLUMNS_SQL} FROM chunks_chunk c
 WHERE c.id > %s AND (%s::smallint IS NULL OR c.node_ids @> ARRAY[%s::smallint]) ORDER BY c.id LIMIT %s
"""  # noqa: S608  put together from constants


@dataclass(slots=True)
class Moved:
    """What one part of a relocation did. Failed: fragments that stay where they are for now."""

    examined: int = 0
    fragments: int = 0
    size_bytes: int = 0
    failed: int = 0
    is_at_end: bool = False


@dataclass(slots=True)
class OldCopies:
    """Copies that no row names any more, each deleted some seconds after it was left."""

    topology: Topology
    delay_seconds: float = OLD_COPY_SECONDS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _waiting: deque[tuple[float, int, str]] = field(default_factory=deque)

    def add(self, node_id: int, name: str) -> None:
        """Remember a copy."""
        self._waiting.append((self.clock() + self.delay_seconds, node_id, name))

    def delete_due(self) -> None:
        """Delete those whose time has come, and the oldest of too many."""
        while self._waiting and (self._waiting[0][0] <= self.clock() or len(self._waiting) > _OLD_COPIES_MAX):
            _, node_id, name = self._waiting.popleft()
            with suppress(ChunkError):  # what can't be reached is an orphan, and swept
                self.topology.store(node_id).delete_fragment(name)

    def delete_all(self) -> None:
        """Wait for the last, and delete them all."""
        while self._waiting:
            self.sleep(max(0.0, self._waiting[0][0] - self.clock()))
            self.delete_due()


@dataclass(frozen=True, slots=True)
class _Part:
    """What holds for one part of a relocation."""

    relocation: Relocation
    topology: Topology
    old_copies: OldCopies
    using: str
    moved: Moved
    moved_segments: set[UUID] = field(default_factory=set)
    to_repack: dict[UUID, int] = field(default_factory=dict)  # how many fragments of each chunk are to move


def plan_moves(chunk: ChunkView, topology: Topology) -> Mapping[int, int]:
    """Return the node of each fragment that belongs elsewhere, by the fragment's index: what rebalancing would move."""
    topology = topology.for_class(chunk.storage_class)
    usable = {node.id for node in topology.writable}
    if not usable:
        return {}
    home = place_with_hand_off(chunk.placement_id, len(chunk.node_ids), topology.known, usable)
    return {index: node_id for index, node_id in enumerate(home) if node_id != chunk.node_ids[index]}


def plan_drain(chunk: ChunkView, node_id: int, topology: Topology) -> Mapping[int, int]:
    """Return a new node for each fragment on a node that is to be emptied, by index; none where nobody takes any."""
    topology = topology.for_class(chunk.storage_class)
    usable = topology.usable_for_writing() - {node_id}
    others = [holder for holder in chunk.node_ids if holder != node_id]
    moves: dict[int, int] = {}
    for index, holder in enumerate(chunk.node_ids):
        if holder == node_id and usable:
            moves[index] = rank_candidates(chunk.placement_id, others, topology.known, usable)[0]
            others.append(moves[index])
    return moves


def advance_relocation(
    relocation: Relocation,
    *,
    topology: Topology,
    old_copies: OldCopies,
    bytes_max: int,
    using: str = DEFAULT_DB_ALIAS,
) -> Moved:
    """Work off a part of a relocation: up to 1,000 chunks looked at, until `bytes_max` are moved. Writes its row."""
    part = _Part(relocation, topology, old_copies, using, Moved())
    moved, node_id = part.moved, relocation.node_id
    with connections[using].cursor() as cursor:
        cursor.execute(_LIST_CHUNKS, [relocation.cursor, node_id, node_id, BATCH_SIZE])
        chunks = [ChunkView(*row) for row in cursor.fetchall()]
    after: UUID = relocation.cursor
    for chunk in chunks:
        if moved.size_bytes >= bytes_max:
            break
        plan = _plan(relocation, chunk, topology)
        if plan and chunk.segment_id is not None:
            _move_packed(part, chunk, chunk.segment_id, plan)
        elif plan:
            _move_chunk(part, chunk.id)
        if plan:
            old_copies.delete_due()
        moved.examined += 1
        after = chunk.id
    _repack(part)
    moved.is_at_end = len(chunks) < BATCH_SIZE and moved.examined == len(chunks)
    _record(relocation, after, moved)
    return moved


def _plan(relocation: Relocation, chunk: ChunkView, topology: Topology) -> Mapping[int, int]:
    if relocation.kind == RelocationKind.DRAIN:
        assert relocation.node_id is not None
        return plan_drain(chunk, relocation.node_id, topology)
    return plan_moves(chunk, topology)


def _record(relocation: Relocation, after: UUID, moved: Moved) -> None:
    Relocation.objects.filter(pk=relocation.pk).update(
        cursor=after,
        updated_at=Now(),
        examined_chunks=F("examined_chunks") + moved.examined,
        moved_fragments=F("moved_fragments") + moved.fragments,
        moved_bytes=F("moved_bytes") + moved.size_bytes,
        failed_fragments=F("failed_fragments") + moved.failed,
    )
    relocation.refresh_from_db()


def _move_packed(part: _Part, chunk: ChunkView, segment_id: UUID, plan: Mapping[int, int]) -> None:
    """Move a chunk's whole segment, once for all of its chunks, or note the chunk to be moved out of it."""
    if segment_id in part.moved_segments:
        return
    with transaction.atomic(using=part.using):
        segment = lock_segment(segment_id, using=part.using)
        if segment is None or not segment.moves_with(chunk):
            part.to_repack[chunk.id] = len(plan)
            return
        part.moved_segments.add(segment_id)
        targets = dict(_plan(part.relocation, chunk, part.topology))
        remaining = [node_id for index, node_id in enumerate(segment.node_ids) if index not in targets]
        if len({*remaining, *targets.values()}) < len(segment.node_ids):
            part.moved.failed += len(plan)  # two copies on one node would be one file
            return
        try:
            copies = write_copies(segment, targets, topology=part.topology, using=part.using)
        except ChunkError:
            part.moved.failed += len(plan)
            return
    for index in targets:
        if segment.node_ids[index] not in copies.node_ids:
            part.old_copies.add(segment.node_ids[index], segment_name(segment_id))
    part.moved.fragments += len(targets) * copies.chunk_count
    part.moved.size_bytes += len(targets) * copies.size_bytes


def _repack(part: _Part) -> None:
    """Move chunks into other segments whose own can't be moved now."""
    if part.to_repack:
        repacked = repack_chunks(part.to_repack, topology=part.topology, using=part.using)
        part.moved.fragments += sum(part.to_repack[chunk_id] for chunk_id in repacked.moved)
        part.moved.failed += sum(count for chunk_id, count in part.to_repack.items() if chunk_id in repacked.errors)
        part.moved.size_bytes += repacked.size_bytes


def _move_chunk(part: _Part, chunk_id: UUID) -> None:
    """Move what belongs elsewhere of one chunk. One that is gone, or in the hands of a repairer, is left alone."""
    with transaction.atomic(using=part.using):
        rows = Chunk.objects.using(part.using).select_for_update(no_key=True, skip_locked=True)
        row = rows.filter(pk=chunk_id).first()
        if row is None or row.segment_id is not None:
            return
        chunk = ChunkView(row.id, row.size_bytes, row.scheme, tuple(row.node_ids), storage_class=row.storage_class)
        plan = _plan(part.relocation, chunk, part.topology)
        sizes, faults = _copy_fragments(chunk, plan, part.topology)
        record_faults(faults, using=part.using)
        part.moved.failed += len(plan) - len(sizes)
        if part.relocation.kind == RelocationKind.REBALANCE and len(sizes) < len(plan):
            _delete_copies(chunk, {index: plan[index] for index in sizes}, part.topology)
            return
        node_ids = [plan[index] if index in sizes else node_id for index, node_id in enumerate(chunk.node_ids)]
        Chunk.objects.using(part.using).filter(pk=chunk_id).update(node_ids=node_ids)
    for index in sizes:
        part.old_copies.add(chunk.node_ids[index], fragment_name(chunk_id, index))
    part.moved.fragments += len(sizes)
    part.moved.size_bytes += sum(sizes.values())


def _copy_fragments(
    chunk: ChunkView, plan: Mapping[int, int], topology: Topology
) -> tuple[dict[int, int], Sequence[FaultRecord]]:
    """Copy fragments to their new nodes; return the size of each that was, and what is wrong with the others."""
    sizes: dict[int, int] = {}
    faults = []
    for index, target in plan.items():
        try:
            data = read_fragment(chunk, index, topology)
        except ChunkError as error:
            # The repairer rebuilds it from the others, and not on a node that is draining.
            faults.append(FaultRecord(chunk.id, index, chunk.node_ids[index], fault_kind(error), str(error)))
            continue
        with suppress(NodeUnavailable, NoSpace):
            _write_copy(chunk.id, index, data, target, topology)
            sizes[index] = len(data)
    return sizes, faults


def _write_copy(chunk_id: UUID, index: int, data: bytes, target: int, topology: Topology) -> None:
    if target not in topology.usable_for_writing():
        raise NodeUnavailable("the node is nearly full or failed just now")
    try:
        topology.store(target).write_fragment(fragment_name(chunk_id, index), [data])
    except NoSpace:
        topology.report_full(target)
        raise
    except NodeUnavailable:
        topology.report_failure(target)
        raise


def _delete_copies(chunk: ChunkView, targets: Mapping[int, int], topology: Topology) -> None:
    for index, target in targets.items():
        with suppress(ChunkError):
            topology.store(target).delete_fragment(fragment_name(chunk.id, index))
