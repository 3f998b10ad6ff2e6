"""What would be lost, or is: chunks with fewer good fragments than they should have, and the objects in them.

Reads the recorded faults, so it knows what readers, the scrub and the watch over nodes have noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from chunks.records import NEEDED_FRAGMENTS_SQL

FETCH_SIZE = 1000

# Plan: all faults, hashed by chunk; then the index extents_of_chunk and primary keys for each. Streamed.
_LIST = f"""
WITH endangered AS (
     SELECT c.id, c.scheme, cardinality(c.node_ids) AS fragment_count, count(*) AS lost_count,
            cardinality(c.node_ids) - count(*) - {NEEDED_FRAGMENTS_SQL} AS spare_count
       FROM chunks_fragmentfault f JOIN chunks_chunk c ON c.id = f.chunk_id
      WHERE f.kind <> 'misplaced' GROUP BY c.id)
SELECT c.id, c.scheme, c.fragment_count, c.lost_count, c.spare_count,
       b.name, coalesce(o.key, u.key), v.version_id, v.deleted_at IS NOT NULL, u.upload_id
  FROM endangered c
  LEFT JOIN objects_extent e ON e.chunk_id = c.id
  LEFT JOIN objects_objectversion v ON v.id = e.version_id
  LEFT JOIN objects_object o ON o.id = v.object_id
  LEFT JOIN objects_part p ON p.id = e.part_id
  LEFT JOIN objects_multipartupload u ON u.id = p.upload_id
  LEFT JOIN buckets_bucket b ON b.id = coalesce(v.bucket_id, u.bucket_id)
 ORDER BY c.spare_count, c.id, b.name, coalesce(o.key, u.key)
"""


@dataclass(frozen=True, slots=True)
class EndangeredObject:
    """One chunk at reduced redundancy, and one version or upload that has bytes in it (none: garbage).

    `spare_count` is how many more fragments it could lose; below zero, it can't be read now.
    """

    chunk_id: UUID
    scheme: str
    fragment_count: int
    lost_count: int
    spare_count: int
    bucket_name: str | None
    key: str | None
    version_id: str | None
    is_history: bool
    upload_id: str | None


def iterate_endangered() -> Iterator[EndangeredObject]:
    """Yield what is endangered, the most endangered first. One statement, fetched in pages."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_LIST, [])
        while rows := cursor.fetchmany(FETCH_SIZE):
            for row in rows:
                yield EndangeredObject(*row)
