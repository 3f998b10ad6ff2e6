"""The collector: what nothing refers to any more goes, in the reverse order of writing.

Write ordering, paragraph 4: an extent's row goes first, then (after a grace period) the chunk's row, then the fragments.
Every duty here takes a batch, claims its rows with SKIP LOCKED against other collectors, and can be killed at any point:
what is left to do stays derivable from the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import connection, transaction

from chunks import services as chunk_services
from objects.models import MultipartUpload
from objects.services.multipart import drop_parts

BATCH_SIZE = 500
# Large, since each batch waits for the journal.
UNLINK_BATCH_SIZE = 5_000

# Plan: the index garbage_by_state_and_time. SKIP LOCKED: the rival is another collector.
_CLAIM_QUESTIONS = """
SELECT chunk_id FROM chunks_garbage
 WHERE state = 'question' AND asked_at <= clock_timestamp() - make_interval(secs => %s)
 ORDER BY next_attempt_at LIMIT %s FOR UPDATE SKIP LOCKED
"""

# Whoever is about to refer to a chunk holds its row shared (the foreign key of extents does), so once the rows are
# locked here, extents committed before are seen by the next statement and later ones find no chunk.
_LOCK_CHUNKS = "SELECT id FROM chunks_chunk WHERE id = ANY(%s) ORDER BY id FOR UPDATE"

# Plan: for each chunk a probe of the index extents_of_chunk.
_DELETE_UNREFERENCED = """
DELETE FROM chunks_chunk c
 WHERE c.id = ANY(%s) AND NOT EXISTS (SELECT FROM objects_extent e WHERE e.chunk_id = c.id)
RETURNING c.id, c.node_ids, c.segment_id
"""

# Plan: for each bucket a range of the index versions_in_history. The rival is another collector.
_CLAIM_EXPIRED = """
SELECT v.id, v.object_id, v.bucket_id, v.size_bytes, v.is_delete_marker
  FROM (SELECT DISTINCT u.bucket_id, coalesce(b.history_seconds, 0) AS history_seconds
          FROM objects_bucketusage u LEFT JOIN buckets_bucket b ON b.id = u.bucket_id) AS h
  CROSS JOIN LATERAL (
       SELECT * FROM objects_objectversion v
        WHERE v.bucket_id = h.bucket_id
          AND v.deleted_at <= clock_timestamp() - make_interval(secs => h.history_seconds)
          AND NOT objects_is_locked(v, true)
        ORDER BY v.deleted_at LIMIT %s FOR UPDATE SKIP LOCKED) AS v
 LIMIT %s
"""

_COUNT_EXPIRED = "SELECT objects_count_usage(%s, 0, 0, 0, -1 * %s::int, -1 * %s::bigint)"

# A key with no version left. Its row is locked by writers before they add one, so the condition is checked again then.
_DELETE_EMPTY_KEYS = """
DELETE FROM objects_object o
 WHERE o.id = ANY(%s) AND o.current_version_id IS NULL
   AND NOT EXISTS (SELECT FROM objects_objectversion v WHERE v.object_id = o.id)
"""

# Plan: the index uploads_by_age.
_CLAIM_STALE_UPLOADS = """
SELECT u.id FROM objects_multipartupload u LEFT JOIN buckets_bucket b ON b.id = u.bucket_id
 WHERE u.created_at <= clock_timestamp() - make_interval(secs => %s) OR b.id IS NULL
 ORDER BY u.created_at LIMIT %s FOR UPDATE OF u SKIP LOCKED
"""

# Plan: the index shorter_states_by_age. In a bucket whose window is shorter they go with the version.
_DELETE_SHORTER_STATES = """
DELETE FROM objects_shorterstate WHERE id IN (
    SELECT s.id FROM objects_shorterstate s JOIN objects_objectversion v ON v.id = s.version_id
      LEFT JOIN buckets_bucket b ON b.id = v.bucket_id
     WHERE s.ended_at <= clock_timestamp() - make_interval(secs => coalesce(b.history_seconds, 0))
     ORDER BY s.ended_at LIMIT %s)
"""

# Plan: the index rename_tokens_by_age.
_DELETE_RENAME_TOKENS = """
DELETE FROM objects_renametoken WHERE id IN (
    SELECT id FROM objects_renametoken WHERE created_at <= clock_timestamp() - make_interval(secs => %s)
     ORDER BY created_at LIMIT %s)
"""
RENAME_TOKEN_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round of the collector did."""

    expired_versions: int = 0
    stale_uploads: int = 0
    answered_questions: int = 0
    deleted_chunks: int = 0
    unlinked_chunks: int = 0
    compacted_chunks: int = 0
    deleted_segments: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return self == Collected()


def collect_garbage(
    *,
    grace_seconds: float,
    stale_upload_seconds: float,
    orphan_grace_seconds: float,
    batch_size: int = BATCH_SIZE,
    may_unlink: Callable[[], bool] = lambda: True,
) -> Collected:
    """Do one batch of every duty of the collector. Repeat until it has done nothing.

    Files are deleted last, when there are enough fragments or nothing else is to do: `may_unlink` may take a second. A
    segment in which nothing is left goes after `grace_seconds`, and not before it has been sealed for
    `orphan_grace_seconds`: an upload that began before may yet publish a chunk in it.
    """
    expired_versions = expire_history(batch_size=batch_size)
    forget_small_things(batch_size=batch_size)
    stale_uploads = drop_stale_uploads(older_than_seconds=stale_upload_seconds, batch_size=batch_size)
    answered_questions, deleted_chunks = delete_unreferenced_chunks(grace_seconds=grace_seconds, batch_size=batch_size)
    collected = Collected(
        expired_versions=expired_versions,
        stale_uploads=stale_uploads,
        answered_questions=answered_questions,
        deleted_chunks=deleted_chunks,
        compacted_chunks=_compact(),
    )
    if not collected.is_nothing and chunk_services.count_unlinks(limit=UNLINK_BATCH_SIZE) < UNLINK_BATCH_SIZE:
        return collected
    unlinked = chunk_services.unlink_garbage(batch_size=UNLINK_BATCH_SIZE, may_unlink=may_unlink)
    deleted_segments = chunk_services.delete_empty_segments(
        sealed_grace_seconds=orphan_grace_seconds, empty_grace_seconds=grace_seconds, may_delete=may_unlink
    )
    return replace(collected, unlinked_chunks=unlinked, deleted_segments=deleted_segments)


def _compact() -> int:
    chunk_services.seal_abandoned()
    chunk_services.count_segments()
    return chunk_services.compact_segments()


@transaction.atomic
def expire_history(*, batch_size: int = BATCH_SIZE) -> int:
    """Erase versions whose bucket's history window has passed, or whose bucket is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_EXPIRED, [batch_size, batch_size])
        rows = cursor.fetchall()
        totals: dict[int, tuple[int, int]] = {}
        for version_row, _, bucket_id, size_bytes, is_delete_marker in rows:
            cursor.execute("SELECT objects_erase_version(%s)", [version_row])
            count, total_bytes = totals.get(bucket_id, (0, 0))
            totals[bucket_id] = (count + (0 if is_delete_marker else 1), total_bytes + size_bytes)
        cursor.execute(_DELETE_EMPTY_KEYS, [[row[1] for row in rows]])
        for bucket_id in sorted(totals):
            cursor.execute(_COUNT_EXPIRED, [bucket_id, *totals[bucket_id]])
    return len(rows)


def forget_small_things(*, batch_size: int = BATCH_SIZE) -> None:
    """Forget what versions were before the history window, and renames that nobody repeats any more."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_SHORTER_STATES, [batch_size])
        cursor.execute(_DELETE_RENAME_TOKENS, [RENAME_TOKEN_SECONDS, batch_size])


@transaction.atomic
def drop_stale_uploads(*, older_than_seconds: float, batch_size: int = BATCH_SIZE) -> int:
    """Abort uploads begun too long ago or in a bucket that is gone, and forget completed ones of that age."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_STALE_UPLOADS, [older_than_seconds, batch_size])
        rows = [row[0] for row in cursor.fetchall()]
    for upload_row in rows:
        drop_parts(upload_row)
    MultipartUpload.objects.filter(pk__in=rows).delete()
    return len(rows)


@transaction.atomic
def delete_unreferenced_chunks(*, grace_seconds: float, batch_size: int = BATCH_SIZE) -> tuple[int, int]:
    """Answer the questions of at least `grace_seconds` of age: a chunk that no extent refers to loses its row.

    Its fragments are then queued for unlinking. The grace period lets reads finish that began before. Returns how many
    questions were answered and how many chunks went.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_QUESTIONS, [grace_seconds, batch_size])
        asked = [row[0] for row in cursor.fetchall()]
        if not asked:
            return 0, 0
        cursor.execute(_LOCK_CHUNKS, [asked])
        cursor.execute(_DELETE_UNREFERENCED, [asked])
        deleted = cursor.fetchall()
    chunk_services.answer_questions(
        asked=asked,
        unreferenced={chunk_id: tuple(node_ids) for chunk_id, node_ids, segment_id in deleted if segment_id is None},
        packed={chunk_id: segment_id for chunk_id, _, segment_id in deleted if segment_id is not None},
    )
    return len(asked), len(deleted)
