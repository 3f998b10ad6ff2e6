"""Keys that are gone from a bucket's listing and can be brought back: deleted, or hidden by a delete marker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from objects.listing import successor

# One page looks at no more keys than this, present ones included, so that its cost is bounded in any bucket.
SCANNED_KEYS_MAX = 20_000

# Plan: an index-only scan of the unique index on (bucket, key).
_SCAN_END = """
SELECT o.key FROM objects_object o
 WHERE o.bucket_id = %s AND o.key > %s AND o.key >= %s AND (%s::text IS NULL OR o.key < %s)
 ORDER BY o.key OFFSET %s LIMIT 1
"""

# Plan: a range of the unique index on (bucket, key); for each key that is gone, the head of versions_of_object.
_LIST_DELETED = """
SELECT v.id, o.key, v.size_bytes, v.content_type, v.superseded_at, v.deleted_at
  FROM objects_object o
 CROSS JOIN LATERAL (
       SELECT * FROM objects_objectversion v
        WHERE v.object_id = o.id AND NOT v.is_delete_marker ORDER BY v.id DESC LIMIT 1) v
 WHERE o.bucket_id = %s AND NOT o.is_listed
   AND o.key > %s AND o.key >= %s AND (%s::text IS NULL OR o.key < %s) AND (%s::text IS NULL OR o.key <= %s)
 ORDER BY o.key LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class DeletedKey:
    """A key without a current object, and the newest version of it that is left."""

    version_row: int
    key: str
    size_bytes: int
    content_type: str
    gone_at: datetime | None
    deleted_at: datetime | None

    def recoverable_until(self, history_seconds: int) -> datetime | None:
        """Return when the version may be erased; None where it stays until somebody deletes it for good."""
        return None if self.deleted_at is None else self.deleted_at + timedelta(seconds=history_seconds)


@dataclass(frozen=True, slots=True)
class DeletedPage:
    """Some deleted keys, and the key behind which to look for more; None at the end."""

    keys: tuple[DeletedKey, ...]
    next_after: str | None


def list_deleted(*, bucket_id: int, prefix: str, after: str, limit: int) -> DeletedPage:
    """Return up to `limit` deleted keys behind `after`; fewer, when SCANNED_KEYS_MAX keys were looked at. Two statements."""
    end = successor(prefix)
    span: list[Any] = [bucket_id, after, prefix, end, end]
    with connection.cursor() as cursor:
        cursor.execute(_SCAN_END, [*span, SCANNED_KEYS_MAX])
        row = cursor.fetchone()
        scan_end: str | None = None if row is None else row[0]
        cursor.execute(_LIST_DELETED, [*span, scan_end, scan_end, limit + 1])
        keys = [DeletedKey(*fields) for fields in cursor.fetchall()]
    next_after = keys[limit - 1].key if len(keys) > limit else scan_end
    return DeletedPage(tuple(keys[:limit]), next_after)
