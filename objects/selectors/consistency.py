"""Is the metadata consistent with itself? What the database's own constraints can't say, as statements that find nothing.

Each statement looks at a range of rows and sees one moment, so the system may run meanwhile; all memory is the database's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import connection

RANGE_SIZE = 10_000


class MetadataProblem(StrEnum):
    """What can be wrong among the rows."""

    NOT_COVERED = "version or part whose extents are not exactly its bytes"
    OUTSIDE_CHUNK = "extent without a chunk, or beyond its end"
    UNREFERENCED = "chunk that nothing refers to and no collector knows of"
    UNLINKED_ALIVE = "chunk that is queued for unlinking and still there"
    BESIDE_SEGMENT = "packed chunk that is said to be elsewhere than its segment"
    WRONG_POINTER = "key that does not point at its newest version"
    WRONG_USAGE = "usage counter that differs from a recount"


@dataclass(frozen=True, slots=True)
class MetadataFinding:
    """Something that is not as it should be, in words for people."""

    problem: MetadataProblem
    subject: str


@dataclass(frozen=True, slots=True)
class _Check:
    """A statement over a range of a table's ids. Its rows are findings, each one text."""

    problem: MetadataProblem
    table: str
    statement: str


_EXTENTS_OF = """
  LEFT JOIN LATERAL (
       SELECT coalesce(sum(e.size_bytes), 0)::bigint AS covered, bool_and(e.offset_bytes = e.expected) AS is_gapless
         FROM (SELECT size_bytes, offset_bytes,
                      coalesce(sum(size_bytes) OVER (
                          ORDER BY offset_bytes ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS expected
                 FROM objects_extent WHERE {owner}_id = {row}.id) AS e) AS x ON true
"""

_CHECKS = (
    # Plan: a range of the primary key; for each version a range of extents_of_version.
    _Check(
        MetadataProblem.NOT_COVERED,
        "objects_objectversion",
        f"""
SELECT format('version %%s (%%s) of key %%L: %%s bytes, extents of %%s', v.version_id, v.id, o.key, v.size_bytes, x.covered)
  FROM objects_objectversion v LEFT JOIN objects_object o ON o.id = v.object_id
  {_EXTENTS_OF.format(owner="version", row="v")}
 WHERE v.id > %s AND v.id <= %s AND (o.id IS NULL OR x.covered <> v.size_bytes OR NOT coalesce(x.is_gapless, true))
""",
    ),
    # Plan: likewise. The extents of a completed upload are its version's.
    _Check(
        MetadataProblem.NOT_COVERED,
        "objects_part",
        f"""
SELECT format('part %%s of upload %%s: %%s bytes, extents of %%s', p.part_number, u.upload_id, p.size_bytes, x.covered)
  FROM objects_part p JOIN objects_multipartupload u ON u.id = p.upload_id AND u.completed_at IS NULL
  {_EXTENTS_OF.format(owner="part", row="p")}
 WHERE p.id > %s AND p.id <= %s AND (x.covered <> p.size_bytes OR NOT coalesce(x.is_gapless, true))
""",
    ),
    # Plan: a range of the primary key; the chunk's primary key for each.
    _Check(
        MetadataProblem.OUTSIDE_CHUNK,
        "objects_extent",
        """
SELECT format('extent %%s: %%s+%%s of chunk %%s, which has %%s bytes',
              e.id, e.chunk_offset_bytes, e.size_bytes, e.chunk_id, coalesce(c.plain_bytes::text, c.size_bytes::text, 'no'))
  FROM objects_extent e LEFT JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE e.id > %s AND e.id <= %s
   AND (c.id IS NULL OR e.chunk_offset_bytes < 0 OR e.chunk_offset_bytes + e.size_bytes > coalesce(c.plain_bytes, c.size_bytes))
""",
    ),
    # Plan: a range of the primary key; the indexes extents_of_chunk and the unique one of garbage for each.
    _Check(
        MetadataProblem.UNREFERENCED,
        "chunks_chunk",
        """
SELECT format('chunk %%s of %%s bytes', c.id, c.size_bytes) FROM chunks_chunk c
 WHERE c.id > %s AND c.id <= %s
   AND NOT EXISTS (SELECT FROM objects_extent e WHERE e.chunk_id = c.id)
   AND NOT EXISTS (SELECT FROM chunks_garbage g WHERE g.chunk_id = c.id)
""",
    ),
    _Check(
        MetadataProblem.UNLINKED_ALIVE,
        "chunks_garbage",
        """
SELECT format('chunk %%s', c.id) FROM chunks_garbage g JOIN chunks_chunk c ON c.id = g.chunk_id
 WHERE g.id > %s AND g.id <= %s AND g.state = 'unlink'
""",
    ),
    # Plan: a range of the primary key; the segments, hashed. A segment's row changes with those of its chunks.
    _Check(
        MetadataProblem.BESIDE_SEGMENT,
        "chunks_chunk",
        """
SELECT format('chunk %%s: on nodes %%s, its segment %%s on %%s', c.id, c.node_ids, c.segment_id,
              coalesce(s.node_ids::text, 'none, it has no row'))
  FROM chunks_chunk c LEFT JOIN chunks_segment s ON s.id = c.segment_id
 WHERE c.id > %s AND c.id <= %s AND c.segment_id IS NOT NULL
   AND (c.node_ids, c.scheme) IS DISTINCT FROM (s.node_ids, s.scheme)
""",
    ),
    # Plan: a range of the primary key; the first of versions_of_object that is visible for each.
    _Check(
        MetadataProblem.WRONG_POINTER,
        "objects_object",
        """
SELECT format('key %%L of bucket %%s', o.key, o.bucket_id)
  FROM objects_object o
  LEFT JOIN LATERAL (
       SELECT v.id, v.is_delete_marker FROM objects_objectversion v
        WHERE v.object_id = o.id AND v.deleted_at IS NULL ORDER BY v.id DESC LIMIT 1) AS v ON true
 WHERE o.id > %s AND o.id <= %s
   AND (o.current_version_id IS DISTINCT FROM v.id OR o.is_listed <> coalesce(NOT v.is_delete_marker, false))
""",
    ),
)

# Plan: all versions and keys once, hashed by bucket, in one moment.
_WRONG_USAGE = """
WITH counted AS (
     SELECT bucket_id, sum(object_count)::bigint AS objects, sum(version_count)::bigint AS versions,
            sum(size_bytes)::bigint AS bytes, sum(history_count)::bigint AS history,
            sum(history_bytes)::bigint AS history_bytes, sum(annotation_bytes)::bigint AS annotations
       FROM objects_bucketusage GROUP BY bucket_id),
keys AS (SELECT bucket_id, count(*) FILTER (WHERE is_listed) AS objects FROM objects_object GROUP BY bucket_id),
recounted AS (
     SELECT bucket_id, count(*) FILTER (WHERE deleted_at IS NULL AND NOT is_delete_marker) AS versions,
            coalesce(sum(size_bytes) FILTER (WHERE deleted_at IS NULL), 0)::bigint AS bytes,
            count(*) FILTER (WHERE deleted_at IS NOT NULL AND NOT is_delete_marker) AS history,
            coalesce(sum(size_bytes) FILTER (WHERE deleted_at IS NOT NULL), 0)::bigint AS history_bytes
       FROM objects_objectversion GROUP BY bucket_id),
annotated AS (
     SELECT v.bucket_id, sum(a.size_bytes)::bigint AS annotations
       FROM objects_annotation a JOIN objects_objectversion v ON v.id = a.version_id
      WHERE v.deleted_at IS NULL GROUP BY v.bucket_id),
both_of AS (
     SELECT bucket_id,
            ARRAY[coalesce(c.objects, 0), coalesce(c.versions, 0), coalesce(c.bytes, 0), coalesce(c.history, 0),
                  coalesce(c.history_bytes, 0), coalesce(c.annotations, 0)] AS counted,
            ARRAY[coalesce(k.objects, 0), coalesce(r.versions, 0), coalesce(r.bytes, 0), coalesce(r.history, 0),
                  coalesce(r.history_bytes, 0), coalesce(a.annotations, 0)] AS recounted
       FROM counted c FULL JOIN keys k USING (bucket_id) FULL JOIN recounted r USING (bucket_id)
       LEFT JOIN annotated a USING (bucket_id))
SELECT format('bucket %s (%s): counted %s, recounted %s (objects, versions, bytes, history, bytes in history, '
              'bytes of annotations)',
              coalesce(b.name, 'deleted'), x.bucket_id, x.counted, x.recounted)
  FROM both_of x LEFT JOIN buckets_bucket b ON b.id = x.bucket_id
 WHERE x.counted <> x.recounted ORDER BY x.bucket_id
"""


def find_inconsistencies() -> Iterator[MetadataFinding]:
    """Yield everything in the metadata that contradicts itself. Two statements for 10,000 rows of each table."""
    for check in _CHECKS:
        for after, last in _ranges(check.table):
            for subject in _ask(check.statement, [after, last]):
                yield MetadataFinding(check.problem, subject)
    for subject in _ask(_WRONG_USAGE):
        yield MetadataFinding(MetadataProblem.WRONG_USAGE, subject)


def _ask(statement: str, parameters: list[Any] | None = None) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


def _ranges(table: str) -> Iterator[tuple[Any, Any]]:
    """Yield (after, last) so that each holds at most RANGE_SIZE rows of the table. Its ids are numbers or UUIDs."""
    after: Any = "00000000-0000-0000-0000-000000000000" if table == "chunks_chunk" else -1
    next_last = f"""
SELECT id FROM (SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT %s) AS one ORDER BY id DESC LIMIT 1
"""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(next_last, [after, RANGE_SIZE])
            row = cursor.fetchone()
        if row is None:
            return
        yield after, row[0]
        after = row[0]
