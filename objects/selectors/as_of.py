"""Look-ups and listings as of a moment within a bucket's history window, for versioned and other buckets alike.

What is exact: which version a key had, its bytes, size, ETag, checksum and time. What may be changed of a version without
making a new one (tags, access control list, locks, storage class, encryption) is as it is now.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from buckets.selectors import BUCKET_COLUMNS
from objects.listing import WalkBounds
from objects.selectors.listing import LIST_OBJECTS, LIST_VERSIONS, ListedObject, ListedVersion
from objects.selectors.lookup import EXTENT_COLUMNS, VERSION_COLUMNS, LookUp, look_up_record

# A version that has grown in place since: the state that it was in.
_STATE = """LEFT JOIN LATERAL (
       SELECT * FROM objects_shorterstate s WHERE s.version_id = v.id AND s.ended_at > {moment}
        ORDER BY s.ended_at LIMIT 1) s ON v.became_current_at > {moment}"""
_STATED = {
    "v.size_bytes": "coalesce(s.size_bytes, v.size_bytes)",
    "v.etag": "coalesce(s.etag, v.etag)",
    "v.checksum_algorithm": "coalesce(s.checksum_algorithm, v.checksum_algorithm)",
    "v.checksum_type": "coalesce(s.checksum_type, v.checksum_type)",
    "v.checksum,": "coalesce(s.checksum, v.checksum),",
    "v.part_count": "CASE WHEN s.id IS NULL THEN v.part_count END",
    "v.became_current_at": "coalesce(s.began_at, v.became_current_at)",
}


def _as_stated(columns: str) -> str:
    """Have columns of a version come from the state that it was in."""
    for column, stated in _STATED.items():
        columns = columns.replace(column, stated)
    return columns


# Plan: the unique indexes on bucket name and on (bucket, key); objects_version_as_of; then as a look-up of the present.
_FIND_AS_OF = f"""
SELECT {BUCKET_COLUMNS}, {_as_stated(VERSION_COLUMNS)}, {EXTENT_COLUMNS}
  FROM buckets_bucket b
  LEFT JOIN objects_object o ON o.bucket_id = b.id AND o.key = %(key)s
  LEFT JOIN objects_objectversion v ON v.id = {{row}}
  {_STATE.format(moment="%(moment)s")}
  LEFT JOIN objects_extent e ON e.version_id = v.id AND e.offset_bytes = 0
  LEFT JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE b.name = %(bucket)s
"""
_FIND_CURRENT_AS_OF = _FIND_AS_OF.format(row="objects_version_as_of(o.id, %(moment)s)")

# Plan: as above; of the key, a range of the index versions_of_object.
_FIND_VERSION_AS_OF = _FIND_AS_OF.format(
    row="""(SELECT n.id FROM objects_objectversion n
        WHERE n.object_id = o.id AND n.version_id = %(version_id)s AND objects_began_by(n, %(moment)s)
          AND (n.deleted_at IS NULL OR n.deleted_at > %(moment)s) ORDER BY n.id DESC LIMIT 1)"""
)


def _listing_as_of(statement: str, walk: str) -> str:
    """Turn a listing of the present into one as of a moment, which comes last among its parameters."""
    head, tail = statement.split("  FROM ", 1)
    tail = tail.replace(f"{walk}(", f"{walk}_as_of(").replace("%s)", "%s, %s)", 1)
    tail = tail.replace("ON v.id = w.version_row", f"ON v.id = w.version_row\n  {_STATE.format(moment='%s')}")
    return f"{_as_stated(head)}  FROM {tail}"


_LIST_OBJECTS_AS_OF = _listing_as_of(LIST_OBJECTS, "objects_walk_keys")
_LIST_VERSIONS_AS_OF = _listing_as_of(LIST_VERSIONS, "objects_walk_versions")


# Plan: see objects/sql/as_of.sql.
_WALK_AS_OF = "SELECT name, version_row FROM objects_walk_keys_as_of(%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def look_up_as_of(bucket_name: str, key: str, moment: datetime, version_id: str | None = None) -> LookUp | None:
    """Find a bucket, and what a key had (or the named version, if it was there then). One statement."""
    arguments: dict[str, Any] = {"bucket": bucket_name, "key": key, "moment": moment}
    with connection.cursor() as cursor:
        if version_id is None:
            cursor.execute(_FIND_CURRENT_AS_OF, arguments)
        else:
            cursor.execute(_FIND_VERSION_AS_OF, {**arguments, "version_id": version_id})
        row = cursor.fetchone()
    return None if row is None else look_up_record(row)


def find_states_as_of(
    *, bucket_id: int, bounds: WalkBounds, limit: int, moment: datetime
) -> tuple[list[tuple[str, int]], bool]:
    """Return up to `limit` keys with the rows of their versions as of a moment, and whether there are more. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_WALK_AS_OF, [*_walk(bucket_id, bounds), bounds.end, limit + 1, moment])
        rows = cursor.fetchall()
    return rows[:limit], len(rows) > limit


def list_objects_as_of(
    *, bucket_id: int, bounds: WalkBounds, limit: int, moment: datetime
) -> tuple[list[ListedObject], bool]:
    """Return up to `limit` keys and common prefixes as of a moment, and whether there are more. One statement."""
    walk = [*_walk(bucket_id, bounds), bounds.end, limit + 1, moment]
    with connection.cursor() as cursor:
        cursor.execute(_LIST_OBJECTS_AS_OF, [*walk, moment, moment])
        rows = [ListedObject(*row) for row in cursor.fetchall()]
    return rows[:limit], len(rows) > limit


def list_object_versions_as_of(
    *, bucket_id: int, bounds: WalkBounds, before_version: int | None, limit: int, moment: datetime
) -> tuple[list[ListedVersion], bool]:
    """Return up to `limit` versions and common prefixes as of a moment, and whether there are more. One statement."""
    walk = [*_walk(bucket_id, bounds), before_version, bounds.end, limit + 1, moment]
    with connection.cursor() as cursor:
        cursor.execute(_LIST_VERSIONS_AS_OF, [*walk, moment, moment])
        rows = [ListedVersion(*row) for row in cursor.fetchall()]
    return rows[:limit], len(rows) > limit


def _walk(bucket_id: int, bounds: WalkBounds) -> list[Any]:
    return [
        bucket_id,
        bounds.prefix,
        bounds.delimiter,
        bounds.delimiter_next,
        bounds.after,
        bounds.is_after_inclusive,
    ]


def find_version_row_as_of(*, bucket_name: str, key: str, version_id: str, moment: datetime) -> int | None:
    """Return the row of a version that was there, for resuming a listing behind it. One statement."""
    found = look_up_as_of(bucket_name, key, moment, version_id)
    return None if found is None or found.version is None else found.version.id
