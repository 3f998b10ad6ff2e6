"""How far behind replication is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# Plan: a scan of the queue, which is short unless something is wrong.
_LAGS = """
SELECT coalesce(b.name, ''), r.destination_name, count(*), coalesce(sum(v.size_bytes) FILTER (WHERE r.kind = 'version'), 0),
       extract(epoch FROM clock_timestamp() - min(r.queued_at)), count(*) FILTER (WHERE r.attempts > 0),
       coalesce(max(r.last_error), '')
  FROM objects_replication r
  LEFT JOIN buckets_bucket b ON b.id = r.bucket_id
  LEFT JOIN objects_objectversion v ON v.id = r.version_row
 GROUP BY 1, 2 ORDER BY 5 DESC
"""


@dataclass(frozen=True, slots=True)
class ReplicationLag:
    """What waits between two buckets."""

    bucket_name: str
    destination_name: str
    waiting: int
    size_bytes: int
    lag_seconds: float
    failing: int
    last_error: str


def replication_lags() -> list[ReplicationLag]:
    """Return what waits, by source and destination, the longest wait first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LAGS)
        return [
            ReplicationLag(source, destination, waiting, int(size_bytes), float(seconds), failing, error)
            for source, destination, waiting, size_bytes, seconds, failing, error in cursor.fetchall()
        ]
