"""What a bucket's history holds: versions that S3 no longer sees and that can still be brought back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from objects.listing import successor

# Plan: a range of the unique index on (bucket, key); for each key, a range of the index versions_of_object.
_LIST_HISTORY = """
SELECT v.id, o.key, v.version_id, v.size_bytes, v.etag, v.content_type, v.became_current_at, v.deleted_at, o.is_listed
  FROM objects_object o
  JOIN objects_objectversion v ON v.object_id = o.id
 WHERE o.bucket_id = %s AND o.key > %s AND o.key >= %s AND (%s::text IS NULL OR o.key < %s)
   AND v.deleted_at IS NOT NULL AND NOT v.is_delete_marker
 ORDER BY o.key, v.id DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class HistoryVersion:
    """A recoverable version. `is_key_listed` says that the key has a current object besides."""

    version_row: int
    key: str
    version_id: str
    size_bytes: int
    etag: str
    content_type: str
    became_current_at: datetime
    deleted_at: datetime
    is_key_listed: bool


def list_history(*, bucket_id: int, prefix: str = "", after: str = "", limit: int = 1_000) -> list[HistoryVersion]:
    """Return up to `limit` recoverable versions of keys behind `after`, by key, newest first. One statement."""
    end = successor(prefix)
    with connection.cursor() as cursor:
        cursor.execute(_LIST_HISTORY, [bucket_id, after, prefix, end, end, limit])
        return [HistoryVersion(*row) for row in cursor.fetchall()]


def list_key_history(*, bucket_id: int, key: str, limit: int = 1_000) -> list[HistoryVersion]:
    """Return up to `limit` recoverable versions of one key, newest first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LIST_HISTORY.replace("o.key > %s AND o.key >= %s", "o.key = %s AND o.key = %s"),
            [bucket_id, key, key, None, None, limit],
        )
        return [HistoryVersion(*row) for row in cursor.fetchall()]
