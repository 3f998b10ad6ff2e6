"""What buckets hold: exact, and true as of the last commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

# Plan: at most 16 rows of the unique index for each bucket.
_SUM_USAGE = """
SELECT bucket_id, sum(object_count)::bigint, sum(version_count)::bigint, sum(size_bytes)::bigint,
       sum(history_count)::bigint, sum(history_bytes)::bigint
  FROM objects_bucketusage WHERE bucket_id = ANY(%s) GROUP BY bucket_id
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts and bytes: keys with a current object; all visible versions; what history holds beside them."""

    object_count: int = 0
    version_count: int = 0
    size_bytes: int = 0
    history_count: int = 0
    history_bytes: int = 0


def find_usage(bucket_ids: Iterable[int]) -> dict[int, Usage]:
    """Return the usage of each bucket. One statement."""
    wanted = list(bucket_ids)
    with connection.cursor() as cursor:
        cursor.execute(_SUM_USAGE, [wanted])
        found = {row[0]: Usage(*row[1:]) for row in cursor.fetchall()}
    return {bucket_id: found.get(bucket_id, Usage()) for bucket_id in wanted}
