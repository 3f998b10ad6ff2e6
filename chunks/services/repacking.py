"""Move small chunks into another segment: what repair, drains and compaction do where a whole copy need not move.

A chunk is read and verified, appended to this process's open segment, durable there, and then its row is changed, where
it still says what was read. Nothing is locked while bytes move: a rival who was first makes the new place dead, as the
old one is otherwise. Killed at any point, the chunk is where its row says. Readers that follow the row as it was find
the old place, which stays until its segment goes.

Callers are in no transaction: a segment's row must be there for others before a chunk is in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from chunks import topology as topologies
from chunks.erasure import parse_scheme
from chunks.errors import ChunkError, FragmentCorrupt
from chunks.fragment_format import checksum_of
from chunks.models import Chunk, FragmentFault
from chunks.open_segment import PackedFragment
from chunks.packing import Packer
from chunks.reader import read_chunk
from chunks.records import ChunkView, FaultKind, FaultRecord, signed
from chunks.services.condemning import is_condemned
from chunks.services.faults import record_faults
from chunks.services.segments import SETTLING_SECONDS, count_soon, process_packer
from chunks.topology import Topology
from chunks.writer import packed_fragment

GROUP_CHUNKS_MAX = 256
COMPACTED_CHUNKS_MAX = 2000
CANDIDATES_MAX = 16

# In order, and never waiting for others: a chunk in other hands stays where it is. The rivals are another repacking, a
# repairer, the scrub, whoever moves the segment, and the collector.
_MOVE_ROWS = """
WITH n AS (
     SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[])
         AS n(id, old_segment_id, old_offset, new_offset)),
locked AS (
     SELECT c.id FROM chunks_chunk c JOIN n ON n.id = c.id
      WHERE c.segment_id = n.old_segment_id AND c.segment_offset = n.old_offset
      ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED)
UPDATE chunks_chunk c
   SET segment_id = %s, segment_offset = n.new_offset, node_ids = %s::smallint[], verified_at = clock_timestamp()
  FROM n, locked WHERE c.id = n.id AND c.id = locked.id
RETURNING c.id
"""

# Sealed, counted, and more dead than alive; those with most to gain first.
_CHOOSE_SPARSE = """
SELECT id FROM chunks_segment
 WHERE sealed_at <= statement_timestamp() - make_interval(secs => %s) AND live_bytes > 0 AND live_bytes * 2 < size_bytes
 ORDER BY size_bytes - live_bytes DESC LIMIT %s
"""

# Small segments, as processes leave them that have little to write: many of them become one.
_CHOOSE_SMALL = """
SELECT id FROM chunks_segment
 WHERE sealed_at <= statement_timestamp() - make_interval(secs => %s) AND live_bytes > 0 AND size_bytes < %s
   AND (storage_class, scheme) IN (
       SELECT storage_class, scheme FROM chunks_segment
        WHERE sealed_at <= statement_timestamp() - make_interval(secs => %s) AND live_bytes > 0 AND size_bytes < %s
        GROUP BY storage_class, scheme HAVING count(*) >= %s)
 ORDER BY created_at LIMIT %s
"""
SMALL_SEGMENT_BYTES_MAX = 1 << 20
SMALL_SEGMENT_COUNT = 16
SMALL_SEGMENTS_MAX = 256


@dataclass(slots=True)
class Repacked:
    """What became of chunks: moved, with the bytes of their fragments, or the reason why one is not."""

    moved: set[UUID] = field(default_factory=set)
    size_bytes: int = 0
    errors: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Read:
    """A chunk as it was read."""

    view: ChunkView
    fragment: PackedFragment


def repack_chunks(
    chunk_ids: Iterable[UUID],
    *,
    topology: Topology | None = None,
    packer: Packer | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Repacked:
    """Move packed chunks to an open segment. Those that are gone, moved or not packed are passed over.

    Holds GROUP_CHUNKS_MAX chunks in memory. Two statements and a group commit for as many. The faults of what was moved
    are settled: the new place was written whole.
    """
    topology, packer = topology or topologies.current(), packer or process_packer()
    repacked = Repacked()
    ids = sorted(chunk_ids)
    for start in range(0, len(ids), GROUP_CHUNKS_MAX):
        rows = Chunk.objects.using(using).filter(pk__in=ids[start : start + GROUP_CHUNKS_MAX]).exclude(segment_id=None)
        groups: dict[tuple[str, str], list[Chunk]] = defaultdict(list)
        for row in rows.order_by("segment_id", "segment_offset"):
            groups[row.storage_class, row.scheme].append(row)
        for (storage_class, scheme), group in groups.items():
            read = list(_read_all(group, repacked, topology))
            if read:
                _repack_group(read, storage_class, scheme, repacked, topology=topology, packer=packer, using=using)
    return repacked


def _read_all(rows: Sequence[Chunk], repacked: Repacked, topology: Topology) -> Iterable[_Read]:
    """Yield what can be read, with the chunk's own checksum compared; the others are errors."""
    for row in rows:
        view = ChunkView(row.id, row.size_bytes, row.scheme, tuple(row.node_ids), row.segment_id, row.segment_offset)
        try:
            data = memoryview(read_chunk(view, topology=topology))
            checksum = checksum_of(data)
            if signed(checksum) != row.checksum:
                raise FragmentCorrupt("the fragments agree with themselves and not with the chunk's checksum")
        except ChunkError as error:
            repacked.errors[row.id] = str(error)
            continue
        yield _Read(view, packed_fragment(row.id, parse_scheme(row.scheme), data, checksum))


class _Swept(Exception):
    """The segment was taken for empty: the clock was set forward since it was begun."""


def _repack_group(
    read: Sequence[_Read],
    storage_class: str,
    scheme: str,
    repacked: Repacked,
    *,
    topology: Topology,
    packer: Packer,
    using: str,
) -> None:
    fragments = [one.fragment for one in read]
    packed = packer.pack(
        fragments,
        storage_class=storage_class,
        scheme=parse_scheme(scheme),
        topology=topology.for_class(storage_class),
    )
    if packed is None:
        repacked.errors |= {one.view.id: "too few nodes take a segment" for one in read}
        return
    parameters: list[Any] = [
        [one.view.id for one in read],
        [one.view.segment_id for one in read],
        [one.view.segment_offset for one in read],
        list(packed.offsets),
        packed.segment_id,
        list(packed.node_ids),
    ]
    try:
        with transaction.atomic(using=using), connections[using].cursor() as cursor:
            cursor.execute(_MOVE_ROWS, parameters)
            moved = {row[0] for row in cursor.fetchall()}
            FragmentFault.objects.using(using).filter(chunk_id__in=moved).delete()
            record_faults(
                (
                    FaultRecord(chunk_id, index, packed.node_ids[index], FaultKind.MISPLACED)
                    for chunk_id in moved
                    for index in packed.misplaced
                ),
                using=using,
            )
            if is_condemned(packed.segment_id, using=using):
                raise _Swept
    except _Swept:
        repacked.errors |= {one.view.id: "the new segment was swept" for one in read}
        return
    repacked.moved |= moved
    repacked.size_bytes += sum(one.fragment.size_bytes for one in read if one.view.id in moved)
    repacked.errors |= {one.view.id: "in other hands" for one in read if one.view.id not in moved}
    count_soon({one.view.segment_id for one in read if one.view.segment_id is not None}, using=using)


def compact_segments(
    *,
    settled_seconds: float = SETTLING_SECONDS,
    chunks_max: int = COMPACTED_CHUNKS_MAX,
    topology: Topology | None = None,
    packer: Packer | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Move what is alive out of a segment that is mostly dead, or one of many small ones; return how many chunks.

    Up to `chunks_max` of them: the rest is found by the next call. Where nothing can be moved, the next such segment is
    tried.
    """
    for segment_ids in _choose(settled_seconds, using):
        rows = Chunk.objects.using(using).filter(segment_id__in=segment_ids).order_by("segment_id", "segment_offset")
        ids = list(rows.values_list("pk", flat=True)[:chunks_max])
        moved = repack_chunks(ids, topology=topology, packer=packer, using=using).moved
        if moved:
            return len(moved)
    return 0


def _choose(settled_seconds: float, using: str) -> list[list[UUID]]:
    """Return what to compact: each one that is sparse, or else the small ones together."""
    small = [settled_seconds, SMALL_SEGMENT_BYTES_MAX]
    with connections[using].cursor() as cursor:
        cursor.execute(_CHOOSE_SPARSE, [settled_seconds, CANDIDATES_MAX])
        chosen = [[row[0]] for row in cursor.fetchall()]
        cursor.execute(_CHOOSE_SMALL, [*small, *small, SMALL_SEGMENT_COUNT, SMALL_SEGMENTS_MAX])
        together = [row[0] for row in cursor.fetchall()]
    return [*chosen, together] if together else chosen
