"""All that is left of a key: its visible versions, delete markers, and what the bucket's history holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection

# Plan: unique index on (bucket, key); a range of the index versions_of_object.
_LIST_KEY_VERSIONS = """
SELECT v.id, v.version_id, v.is_delete_marker, v.size_bytes, v.etag, v.became_current_at, v.superseded_at,
       v.deleted_at, v.id IS NOT DISTINCT FROM o.current_version_id
  FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
 WHERE o.bucket_id = %s AND o.key = %s AND (%s::bigint IS NULL OR v.id < %s)
 ORDER BY v.id DESC LIMIT %s
"""


class VersionState(StrEnum):
    """Where a version stands, in the words of the pages."""

    CURRENT = "current"
    NONCURRENT = "older version"
    HISTORY = "in history"


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A version or delete marker of a key, visible to S3 or not."""

    row_id: int
    version_id: str
    is_delete_marker: bool
    size_bytes: int
    etag: str
    became_current_at: datetime
    superseded_at: datetime | None
    deleted_at: datetime | None
    is_current: bool

    @property
    def state(self) -> VersionState:
        """Say where the version stands."""
        if self.is_current:
            return VersionState.CURRENT
        return VersionState.NONCURRENT if self.deleted_at is None else VersionState.HISTORY

    @property
    def is_visible(self) -> bool:
        """Tell whether S3 still sees the version, so that it can be deleted."""
        return self.deleted_at is None

    @property
    def is_restorable(self) -> bool:
        """Tell whether making it current again means anything."""
        return not self.is_current and not self.is_delete_marker

    def recoverable_until(self, history_seconds: int) -> datetime | None:
        """Return when a version in history may be erased."""
        return None if self.deleted_at is None else self.deleted_at + timedelta(seconds=history_seconds)


def list_key_versions(*, bucket_id: int, key: str, before: int | None, limit: int) -> tuple[list[KeyVersion], bool]:
    """Return up to `limit` versions of a key older than the row `before`, newest first, and whether there are more."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST_KEY_VERSIONS, [bucket_id, key, before, before, limit + 1])
        versions = [KeyVersion(*row) for row in cursor.fetchall()]
    return versions[:limit], len(versions) > limit
