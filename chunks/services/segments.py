"""The rows of segments, and what becomes of segments in the end: sealed, counted, compacted, deleted.

A segment is *open* while the process that began it appends to it, for `SEGMENT_SECONDS_MAX` by that process's own clock.
Its row is sealed by that process, or, where that was killed, by its age. A chunk may still be published into a segment
that is sealed already: its upload goes on. So a segment goes only when no chunk was found in it for the grace of
readers, and when it has been sealed for longer than any upload lasts, as with orphans. Nothing here is urgent, and
each step can be killed and done again.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.models.functions import Now

from chunks import topology as topologies
from chunks.errors import NodeUnavailable, SegmentsUnavailable
from chunks.fragment_format import segment_name
from chunks.models import Chunk, Segment
from chunks.open_segment import NewSegment
from chunks.packing import SEGMENT_SECONDS_MAX, Packer
from chunks.records import CHUNK_COLUMNS_SQL, PACKED_BYTES_SQL, ChunkView
from chunks.services.condemning import condemn, pardon
from chunks.topology import Topology

# Twice the time after which its own process leaves a segment.
ABANDONED_SECONDS = 2 * SEGMENT_SECONDS_MAX
COUNT_AGAIN_SECONDS = 24 * 3600.0

# The segments are few: tens of thousands for a terabyte of small objects. SKIP LOCKED: whoever moves one.
_SEAL_ABANDONED = """
UPDATE chunks_segment SET sealed_at = statement_timestamp()
 WHERE sealed_at IS NULL AND created_at <= statement_timestamp() - make_interval(secs => %s)
"""

# Plan: the few segments; for each a range of chunk_by_segment.
_COUNT = f"""
WITH due AS (
     SELECT id FROM chunks_segment
      WHERE sealed_at IS NOT NULL
        AND (counted_at IS NULL OR counted_at <= statement_timestamp() - make_interval(secs => %s))
      ORDER BY counted_at NULLS FIRST LIMIT %s FOR NO KEY UPDATE SKIP LOCKED),
counted AS (
     SELECT d.id, coalesce(f.live_bytes, 0) AS live_bytes, coalesce(f.end_bytes, 0) AS end_bytes
       FROM due d CROSS JOIN LATERAL (
            SELECT sum({PACKED_BYTES_SQL})::bigint AS live_bytes,
                   max(c.segment_offset + {PACKED_BYTES_SQL})::bigint AS end_bytes
              FROM chunks_chunk c WHERE c.segment_id = d.id) AS f)
UPDATE chunks_segment s
   SET live_bytes = c.live_bytes, size_bytes = greatest(s.size_bytes, c.end_bytes), counted_at = statement_timestamp(),
       emptied_at = CASE WHEN c.live_bytes = 0 THEN coalesce(s.emptied_at, statement_timestamp()) END
  FROM counted c WHERE c.id = s.id
RETURNING s.id
"""  # noqa: S608  put together from constants

# Plan: a range of chunk_by_segment, sorted.
_LIST_CHUNKS = f"""
SELECT {CHUNK_COLUMNS_SQL} FROM chunks_chunk c WHERE c.segment_id = %s ORDER BY c.segment_offset
"""  # noqa: S608  put together from constants

_COUNT_SOON = """
UPDATE chunks_segment SET counted_at = NULL
 WHERE id IN (SELECT id FROM chunks_segment WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
"""

# Sealed for longer than an upload lasts, and empty for longer than a read.
_FIND_EMPTY = """
SELECT id, node_ids FROM chunks_segment s
 WHERE sealed_at <= statement_timestamp() - make_interval(secs => %s)
   AND emptied_at <= statement_timestamp() - make_interval(secs => %s)
   AND NOT EXISTS (SELECT FROM chunks_chunk c WHERE c.segment_id = s.id)
   AND (%s::uuid[] IS NULL OR id = ANY(%s::uuid[]))
 ORDER BY emptied_at LIMIT %s
"""
_CLAIM_EMPTY = f"{_FIND_EMPTY} FOR UPDATE SKIP LOCKED"


class DatabaseRegistry:
    """Segments as rows."""

    def register(self, segment: NewSegment) -> None:
        """Write the row, committed on return: others refer to it before the caller is done."""
        try:
            with transaction.atomic(durable=True):
                Segment.objects.create(
                    id=segment.id,
                    storage_class=segment.storage_class,
                    scheme=segment.scheme,
                    node_ids=list(segment.node_ids),
                )
        except Error as error:
            raise SegmentsUnavailable(str(error)) from error

    def seal(self, segment_id: UUID, size_bytes: int) -> None:
        """Say that nobody appends to it any more."""
        try:
            Segment.objects.filter(pk=segment_id).update(sealed_at=Now(), size_bytes=size_bytes)
        except Error as error:
            raise SegmentsUnavailable(str(error)) from error


@lru_cache(maxsize=1)
def process_packer() -> Packer:
    """Return the one that all threads of this process share. Its callers are in no transaction."""
    return Packer(DatabaseRegistry())


os.register_at_fork(after_in_child=process_packer.cache_clear)  # the segments stay the parent's


@dataclass(frozen=True, slots=True)
class LockedSegment:
    """A segment whose row is locked."""

    id: UUID
    node_ids: tuple[int, ...]
    scheme: str
    is_settled: bool  # sealed, and for so long that whoever wrote into it has published by then, or never will
    storage_class: str  # says which nodes it may be on; a chunk in it may have moved to another class since

    def moves_with(self, chunk: ChunkView) -> bool:
        """Say whether a copy may move as a whole for the sake of a chunk in it; else the chunk alone must."""
        is_alike = self.node_ids == tuple(chunk.node_ids) and self.storage_class == chunk.storage_class
        return self.is_settled and is_alike


SETTLING_SECONDS = 60.0  # until its chunks may move out of it one by one

_LOCK = """
SELECT id, node_ids, scheme, coalesce(sealed_at <= statement_timestamp() - make_interval(secs => %s), false),
       storage_class
  FROM chunks_segment WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED
"""


def lock_segment(segment_id: UUID, *, using: str, settling_seconds: float | None = None) -> LockedSegment | None:
    """Lock a segment's row in the caller's transaction; None if it is gone or in other hands.

    It is never waited for, so it may be taken while rows of chunks are held. It counts as settled once it has been
    sealed for longer than an upload lasts: a slow one may have chunks in it that have no row yet, and a copy that is
    written anew would leave them out.
    """
    if settling_seconds is None:
        settling_seconds = settings.OBJSTORE_ORPHAN_GRACE_SECONDS
    with connections[using].cursor() as cursor:
        cursor.execute(_LOCK, [settling_seconds, segment_id])
        row = cursor.fetchone()
    return None if row is None else LockedSegment(row[0], tuple(row[1]), *row[2:])


def seal_abandoned(*, older_than_seconds: float = ABANDONED_SECONDS, using: str = DEFAULT_DB_ALIAS) -> int:
    """Seal segments whose processes were killed: those that are older than any process keeps one open."""
    with connections[using].cursor() as cursor:
        cursor.execute(_SEAL_ABANDONED, [older_than_seconds])
        return int(cursor.rowcount)


def count_segments(*, batch_size: int = 50, using: str = DEFAULT_DB_ALIAS) -> int:
    """Count what is alive in sealed segments that were not counted lately; return how many were counted."""
    with connections[using].cursor() as cursor:
        cursor.execute(_COUNT, [COUNT_AGAIN_SECONDS, batch_size])
        return len(cursor.fetchall())


def count_soon(segment_ids: Collection[UUID], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Have segments counted again, since chunks in them went. Lost, it happens a day later."""
    if segment_ids:
        with connections[using].cursor() as cursor:
            cursor.execute(_COUNT_SOON, [sorted(segment_ids)])


def delete_empty_segments(
    *,
    sealed_grace_seconds: float,
    empty_grace_seconds: float,
    may_delete: Callable[[], bool] = lambda: True,
    batch_size: int = 50,
    topology: Topology | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Delete segments that no chunk is in, files first, then the row; return how many went.

    `may_delete` is asked once they are chosen, and says whether every backup knows that nothing is in them.
    One with a copy out of reach is tried again in a while, with those whose files are gone already.
    """
    topology = topology or topologies.current()
    gone: list[UUID] = []
    postponed: list[UUID] = []
    graces = [sealed_grace_seconds, empty_grace_seconds]
    with connections[using].cursor() as cursor:
        cursor.execute(_FIND_EMPTY, [*graces, None, None, batch_size])
        found = [row[0] for row in cursor.fetchall()]
    if not found or not condemn(found, using=using):
        return 0
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute(_CLAIM_EMPTY, [*graces, found, found, batch_size])
        claimed = cursor.fetchall()
        pardon(_in_use(set(found) - {row[0] for row in claimed}, using=using), using=using)
        if claimed and not may_delete():
            return 0
        for segment_id, node_ids in claimed:
            (gone if _delete_copies(segment_id, node_ids, topology) else postponed).append(segment_id)
        Segment.objects.using(using).filter(pk__in=gone).delete()
        Segment.objects.using(using).filter(pk__in=postponed).update(emptied_at=Now())
    return len(gone)


def _in_use(segment_ids: Collection[UUID], *, using: str) -> set[UUID]:
    """Return those that a chunk is in. Others that could not be claimed may be going in a rival's hands just now."""
    chunks = Chunk.objects.using(using).filter(segment_id__in=segment_ids)
    return {found for found in chunks.values_list("segment_id", flat=True).distinct() if found is not None}


def _delete_copies(segment_id: UUID, node_ids: Sequence[int], topology: Topology) -> bool:
    is_done = True
    for node_id in node_ids:
        if node_id in topology.nodes:
            try:
                topology.store(node_id).delete_fragment(segment_name(segment_id))
            except NodeUnavailable:
                is_done = False
    return is_done


def list_chunks(segment_id: UUID, *, using: str) -> list[ChunkView]:
    """Return all chunks in a segment, in the order in which they lie there."""
    with connections[using].cursor() as cursor:
        cursor.execute(_LIST_CHUNKS, [segment_id])
        return [ChunkView(*row) for row in cursor.fetchall()]
