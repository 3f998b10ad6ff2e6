"""The look-up of one version: the hot path of GET and HEAD, one round trip for bucket, key, version and first extent.

Later extents of large objects are read in pages, as the stream reaches them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from buckets.selectors import BUCKET_COLUMN_COUNT, BUCKET_COLUMNS, BucketRecord
from chunks.records import CHUNK_COLUMNS_SQL, ChunkView
from objects.encryption import StoredEncryption
from s3protocol import errors

EXTENT_PAGE_SIZE = 128
EXTENT_SIZE_BYTES_MAX = 1 << 27  # no chunk is larger than 128 MiB

VERSION_COLUMNS = """v.id, o.key, v.version_id, v.is_delete_marker, v.owner_id, v.size_bytes, v.etag, v.content_type,
       v.headers, v.metadata, v.tags, v.storage_class, v.checksum_algorithm, v.checksum_type, v.checksum, v.part_count,
       v.became_current_at, v.lock_mode, v.retain_until, v.legal_hold, v.acl, v.encryption,
       v.replication_status"""
EXTENT_COLUMNS = f"e.offset_bytes, e.size_bytes, e.chunk_offset_bytes, c.plain_bytes, {CHUNK_COLUMNS_SQL}"

# Plan: unique index on bucket name; unique index on (bucket, key); primary key of the version; the index
# extents_of_version for the first extent; primary key of the chunk. Nested loops of one row each.
_FIND_CURRENT = f"""
SELECT {BUCKET_COLUMNS}, {VERSION_COLUMNS}, {EXTENT_COLUMNS}
  FROM buckets_bucket b
  LEFT JOIN objects_object o ON o.bucket_id = b.id AND o.key = %s
  LEFT JOIN objects_objectversion v ON v.id = o.current_version_id
  LEFT JOIN objects_extent e ON e.version_id = v.id AND e.offset_bytes = 0
  LEFT JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE b.name = %s
"""

# Plan: as above, with the unique index one_visible_version_per_id for the version.
_FIND_BY_VERSION_ID = f"""
SELECT {BUCKET_COLUMNS}, {VERSION_COLUMNS}, {EXTENT_COLUMNS}
  FROM buckets_bucket b
  LEFT JOIN objects_object o ON o.bucket_id = b.id AND o.key = %s
  LEFT JOIN objects_objectversion v ON v.object_id = o.id AND v.version_id = %s AND v.deleted_at IS NULL
  LEFT JOIN objects_extent e ON e.version_id = v.id AND e.offset_bytes = 0
  LEFT JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE b.name = %s
"""

# Plan: primary keys. Sees history, too.
_FIND_BY_ROW = f"""
SELECT {BUCKET_COLUMNS}, {VERSION_COLUMNS}, {EXTENT_COLUMNS}
  FROM objects_objectversion v
  JOIN objects_object o ON o.id = v.object_id
  JOIN buckets_bucket b ON b.id = v.bucket_id
  LEFT JOIN objects_extent e ON e.version_id = v.id AND e.offset_bytes = 0
  LEFT JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE v.id = %s AND v.bucket_id = %s
"""

# Plan: a range of the index extents_of_version, primary keys of the chunks.
_LIST_EXTENTS = f"""
SELECT {EXTENT_COLUMNS}
  FROM objects_extent e JOIN chunks_chunk c ON c.id = e.chunk_id
 WHERE e.version_id = %s AND e.offset_bytes + e.size_bytes > %s AND e.offset_bytes >= %s AND e.offset_bytes < %s
 ORDER BY e.offset_bytes LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class ExtentRecord:
    """A run of bytes of a version and the chunk that it lies in. Offsets and sizes in bytes."""

    offset: int
    size: int
    chunk_offset: int
    chunk: ChunkView
    plain_bytes: int | None = None  # the chunk's size before it was compressed, if it was


class VersionRecord(NamedTuple):  # which is made five times as fast as a frozen dataclass
    """A version as readers need it; `first_extent` is None for an empty one."""

    id: int
    key: str
    version_id: str
    is_delete_marker: bool
    owner_id: str
    size_bytes: int
    etag: str
    content_type: str
    headers: dict[str, str]
    metadata: dict[str, str]
    tags: dict[str, str]
    storage_class: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    part_count: int | None
    became_current_at: datetime
    lock_mode: str
    retain_until: datetime | None
    legal_hold: bool | None
    acl: str | None
    encryption: StoredEncryption | None
    replication_status: str
    first_extent: ExtentRecord | None


@dataclass(frozen=True, slots=True)
class LookUp:
    """What a look-up by bucket and key found; a missing version is None."""

    bucket: BucketRecord
    version: VersionRecord | None


def look_up(bucket_name: str, key: str, version_id: str | None = None) -> LookUp | None:
    """Find a bucket and the current (or the named) visible version of a key; None without the bucket. One statement."""
    if version_id is None:
        row = connection.fetch_row(_FIND_CURRENT, [key, bucket_name])  # type: ignore[attr-defined]  # our engine's
    else:
        row = connection.fetch_row(_FIND_BY_VERSION_ID, [key, version_id, bucket_name])  # type: ignore[attr-defined]
    return None if row is None else look_up_record(row)


def look_up_row(*, bucket_id: int, version_row: int) -> LookUp | None:
    """Find a version of a bucket by its row, visible or in history. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_BY_ROW, [version_row, bucket_id])
        row = cursor.fetchone()
    return None if row is None else look_up_record(row)


def look_up_record(row: tuple[Any, ...]) -> LookUp:
    """Read a row of BUCKET_COLUMNS, VERSION_COLUMNS and EXTENT_COLUMNS."""
    bucket = BucketRecord(*row[:BUCKET_COLUMN_COUNT])
    rest = row[BUCKET_COLUMN_COUNT:]
    return LookUp(bucket, None if rest[0] is None else _version_record(rest))


def _version_record(row: tuple[Any, ...]) -> VersionRecord:
    (
        row_id,
        key,
        version_id,
        is_delete_marker,
        owner_id,
        size_bytes,
        etag,
        content_type,
        headers,
        metadata,
        tags,
        storage_class,
        checksum_algorithm,
        checksum_type,
        checksum,
        part_count,
        became_current_at,
        lock_mode,
        retain_until,
        legal_hold,
        acl,
        encryption,
        replication_status,
        *extent,
    ) = row
    return VersionRecord(
        id=row_id,
        key=key,
        version_id=version_id,
        is_delete_marker=is_delete_marker,
        owner_id=owner_id,
        size_bytes=size_bytes,
        etag=etag,
        content_type=content_type,
        headers=_document(headers),
        metadata=_document(metadata),
        tags=_document(tags),
        storage_class=storage_class,
        checksum_algorithm=checksum_algorithm,
        checksum_type=checksum_type,
        checksum=checksum,
        part_count=part_count,
        became_current_at=became_current_at,
        lock_mode=lock_mode,
        retain_until=retain_until,
        legal_hold=legal_hold,
        acl=acl,
        encryption=None if encryption == "{}" else StoredEncryption.from_document(json.loads(encryption)),
        replication_status=replication_status,
        first_extent=None if extent[0] is None else _extent_record(tuple(extent)),
    )


def _document(text: str) -> dict[str, str]:
    """Read a jsonb column; most are empty."""
    document: dict[str, str] = {} if text == "{}" else json.loads(text)
    return document


def _extent_record(row: tuple[Any, ...]) -> ExtentRecord:
    offset, size, chunk_offset, plain_bytes, *chunk = row
    return ExtentRecord(offset, size, chunk_offset, ChunkView(*chunk), plain_bytes)


def iterate_extents(version: VersionRecord, start: int, length: int) -> Iterator[ExtentRecord]:
    """Yield the extents that hold `length` bytes from `start`, in order. One statement for each EXTENT_PAGE_SIZE.

    Raises NoSuchKey when the version was erased since it was looked up.
    """
    first, end = version.first_extent, start + length
    if first is None or length <= 0:
        return
    position = start
    if position < first.size:
        yield first
        position = first.size
    while position < end:
        page = _list_extents(version.id, position, end)
        if not page:
            raise errors.NoSuchKey(Key=version.key)
        yield from page
        position = page[-1].offset + page[-1].size


def _list_extents(version_row: int, position: int, end: int) -> list[ExtentRecord]:
    with connection.cursor() as cursor:
        # An extent holds at most one chunk, so the one that `position` lies in begins less than that before it.
        earliest = max(0, position - EXTENT_SIZE_BYTES_MAX)
        cursor.execute(_LIST_EXTENTS, [version_row, position, earliest, end, EXTENT_PAGE_SIZE])
        return [_extent_record(row) for row in cursor.fetchall()]


def find_parts(version_row: int) -> list[list[Any]] | None:
    """Return [[part number, size in bytes, checksum], …] of a version that was uploaded in parts. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT parts FROM objects_objectversion WHERE id = %s", [version_row])
        row = cursor.fetchone()
    return json.loads(row[0]) if row and row[0] else None
