"""Listings of a bucket: current objects, all versions, and objects as of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from objects.listing import WalkBounds

# Plan: the walk (see objects/sql/walk.sql), then the primary key of each version.
LIST_OBJECTS = """
SELECT w.name, w.version_row, v.size_bytes, v.etag, v.became_current_at, v.storage_class, v.owner_id,
       v.checksum_algorithm, v.checksum_type, v.content_type
  FROM objects_walk_keys(%s, %s, %s, %s, %s, %s, %s, %s) WITH ORDINALITY AS w(name, version_row, position)
  LEFT JOIN objects_objectversion v ON v.id = w.version_row
 ORDER BY w.position
"""

# Plan: likewise.
LIST_VERSIONS = """
SELECT w.name, w.version_row, v.version_id, v.is_delete_marker, w.is_latest, v.size_bytes, v.etag,
       v.became_current_at, v.storage_class, v.owner_id, v.checksum_algorithm, v.checksum_type
  FROM objects_walk_versions(%s, %s, %s, %s, %s, %s, %s, %s, %s)
       WITH ORDINALITY AS w(name, version_row, is_latest, position)
  LEFT JOIN objects_objectversion v ON v.id = w.version_row
 ORDER BY w.position
"""

# Plan: unique index on (bucket, key); unique index one_visible_version_per_id.
_FIND_VERSION_ROW = """
SELECT v.id FROM objects_object o
  JOIN objects_objectversion v ON v.object_id = o.id AND v.version_id = %s AND v.deleted_at IS NULL
 WHERE o.bucket_id = %s AND o.key = %s
"""


@dataclass(frozen=True, slots=True)
class ListedObject:
    """A key with its current version, or (with `version_row` None) a common prefix. Sizes in bytes."""

    name: str
    version_row: int | None
    size_bytes: int
    etag: str
    modified_at: datetime
    storage_class: str
    owner_id: str
    checksum_algorithm: str
    checksum_type: str
    content_type: str

    @property
    def is_common_prefix(self) -> bool:
        """Whether this stands for all keys that begin with the name."""
        return self.version_row is None


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """A version or delete marker of a key, or (with `version_row` None) a common prefix. Sizes in bytes."""

    name: str
    version_row: int | None
    version_id: str
    is_delete_marker: bool
    is_latest: bool
    size_bytes: int
    etag: str
    modified_at: datetime
    storage_class: str
    owner_id: str
    checksum_algorithm: str
    checksum_type: str

    @property
    def is_common_prefix(self) -> bool:
        """Whether this stands for all keys that begin with the name."""
        return self.version_row is None


def list_objects(*, bucket_id: int, bounds: WalkBounds, limit: int) -> tuple[list[ListedObject], bool]:
    """Return up to `limit` keys and common prefixes, and whether there are more. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            LIST_OBJECTS,
            [
                bucket_id,
                bounds.prefix,
                bounds.delimiter,
                bounds.delimiter_next,
                bounds.after,
                bounds.is_after_inclusive,
                bounds.end,
                limit + 1,
            ],
        )
        rows = [ListedObject(*row) for row in cursor.fetchall()]
    return rows[:limit], len(rows) > limit


def list_object_versions(
    *, bucket_id: int, bounds: WalkBounds, before_version: int | None, limit: int
) -> tuple[list[ListedVersion], bool]:
    """Return up to `limit` versions and common prefixes, and whether there are more. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            LIST_VERSIONS,
            [
                bucket_id,
                bounds.prefix,
                bounds.delimiter,
                bounds.delimiter_next,
                bounds.after,
                bounds.is_after_inclusive,
                before_version,
                bounds.end,
                limit + 1,
            ],
        )
        rows = [ListedVersion(*row) for row in cursor.fetchall()]
    return rows[:limit], len(rows) > limit


def find_version_row(*, bucket_id: int, key: str, version_id: str) -> int | None:
    """Return the row of a visible version, for resuming a listing behind it. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_VERSION_ROW, [version_id, bucket_id, key])
        row = cursor.fetchone()
    return row[0] if row else None
