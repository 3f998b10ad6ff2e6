"""Bring back what was overwritten or deleted, as long as the bucket's history holds it.

Each key is one transaction of its own, and what has been brought back is no candidate any more: a run that ended early, or
was repeated, goes on where it is needed. Nothing is overwritten that came since it was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from audit.draft import current as current_draft
from audit.services.parts import one_of_many
from events.cause import CREATED_BY_COPY
from objects.listing import walk_bounds
from objects.selectors.as_of import find_states_as_of, look_up_as_of
from objects.selectors.deleted import list_deleted
from objects.selectors.lookup import VersionRecord, find_parts, look_up, look_up_row
from objects.services.copy import share_version
from objects.services.publish import UNCONDITIONAL, NewVersion, PublishedVersion, WriteConditions
from s3protocol import errors

BATCH_SIZE = 1_000

_COPY_ANNOTATIONS = "SELECT objects_copy_annotations(%s, %s)"


@dataclass(frozen=True, slots=True)
class _Bucket:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Undeleted:
    """A key that was brought back, or (with `error`) was to be."""

    key: str
    version_id: str = ""
    error: errors.S3Error | None = None


@dataclass(frozen=True, slots=True)
class UndeletedPage:
    """What was done, and the key behind which to go on; None at the end."""

    keys: tuple[Undeleted, ...]
    next_after: str | None


def undelete_version(*, bucket_id: int, version_row: int) -> PublishedVersion:
    """Make a version, visible or in history, the current one again, as a new version that shares its chunks.

    What is current at the moment is superseded like by any write. Raises NoSuchVersion, MethodNotAllowed for a marker.
    """
    found = look_up_row(bucket_id=bucket_id, version_row=version_row)
    if found is None or found.version is None:
        raise errors.NoSuchVersion
    if found.version.is_delete_marker:
        raise errors.MethodNotAllowed
    return _publish_again(bucket_id, found.version, UNCONDITIONAL)


def undelete_objects(
    *,
    bucket_id: int,
    bucket_name: str,
    prefix: str,
    after: str = "",
    limit: int = BATCH_SIZE,
    moment: datetime | None = None,
    may_write: Callable[[str], bool] = lambda _: True,
) -> UndeletedPage:
    """Bring back the keys with a prefix, up to `limit` of those behind `after`.

    Without a moment: those that have no current object, as they last were. With one within the history window: all that
    were there then, as they were, over what is there now; what was not there then stays. Keys that `may_write` says no to
    are AccessDenied. Cost: some statements for each key that comes back.
    """
    if moment is None:
        page = list_deleted(bucket_id=bucket_id, prefix=prefix, after=after, limit=limit)
        rows, next_after = [(item.key, item.version_row) for item in page.keys], page.next_after
    else:
        bounds = walk_bounds(prefix=prefix, delimiter="", after=after)
        rows, is_truncated = find_states_as_of(bucket_id=bucket_id, bounds=bounds, limit=limit, moment=moment)
        next_after = rows[-1][0] if is_truncated else None
    done = [_undelete(_Bucket(bucket_id, bucket_name), key, row, moment, may_write) for key, row in rows]
    return UndeletedPage(tuple(one for one in done if one is not None), next_after)


def undelete_object(*, bucket_id: int, bucket_name: str, key: str, moment: datetime | None = None) -> Undeleted | None:
    """Bring back one key, likewise; None where it is as it should be. Raises NoSuchKey when nothing of it is left."""
    if moment is not None:
        found = look_up_as_of(bucket_name, key, moment)
        row = None if found is None or found.version is None or found.version.is_delete_marker else found.version.id
    else:
        current = look_up(bucket_name, key)
        if current is not None and current.version is not None and not current.version.is_delete_marker:
            return None
        page = list_deleted(bucket_id=bucket_id, prefix=key, after="", limit=1)
        row = next((item.version_row for item in page.keys if item.key == key), None)
    if row is None:
        raise errors.NoSuchKey(Key=key)
    undeleted = _undelete(_Bucket(bucket_id, bucket_name), key, row, moment, lambda _: True)
    if undeleted is not None and undeleted.error is not None:
        raise undeleted.error
    return undeleted


def _undelete(
    bucket: _Bucket,
    key: str,
    row: int,
    moment: datetime | None,
    may_write: Callable[[str], bool],
) -> Undeleted | None:
    """Bring a key back to what it was, unless it is that; None then, and when somebody else was faster."""
    current = look_up(bucket.name, key)
    version = None if current is None else current.version
    is_there = version is not None and not version.is_delete_marker
    source = _source(bucket, key, row, moment)
    if source is None or (version is not None and is_there and (moment is None or _is_same(version, source))):
        return None
    try:
        with one_of_many(current_draft(), action="s3:PutObject", key=key):
            if not may_write(key):
                raise errors.AccessDenied
            published = _publish_again(bucket.id, source, _if_unchanged(version))
    except (errors.PreconditionFailed, errors.NoSuchKey):
        return None  # somebody else was faster
    except errors.S3Error as error:
        return Undeleted(key, error=error)
    return Undeleted(key, published.version_id)


def _if_unchanged(version: VersionRecord | None) -> WriteConditions:
    """Return the condition that what was seen at a key still is what is there."""
    if version is None or version.is_delete_marker:
        return WriteConditions(if_none_match="*")
    return WriteConditions(if_match=version.etag)


def _source(bucket: _Bucket, key: str, row: int, moment: datetime | None) -> VersionRecord | None:
    if moment is None:
        found = look_up_row(bucket_id=bucket.id, version_row=row)
    else:
        found = look_up_as_of(bucket.name, key, moment)
    return None if found is None else found.version


def _is_same(one: VersionRecord, other: VersionRecord) -> bool:
    """Say whether two versions of a key are the same to clients, but for their times and ids."""
    return (one.id == other.id and one.etag == other.etag) or (
        one.etag,
        one.size_bytes,
        one.content_type,
        one.headers,
        one.metadata,
        one.tags,
    ) == (other.etag, other.size_bytes, other.content_type, other.headers, other.metadata, other.tags)


def _publish_again(bucket_id: int, source: VersionRecord, conditions: WriteConditions) -> PublishedVersion:
    version = NewVersion(
        event_name=CREATED_BY_COPY,
        owner_id=source.owner_id,
        size_bytes=source.size_bytes,
        etag=source.etag,
        content_type=source.content_type,
        headers=source.headers,
        metadata=source.metadata,
        tags=source.tags,
        acl=None if source.acl is None else json.loads(source.acl),
        storage_class=source.storage_class,
        checksum_algorithm=source.checksum_algorithm,
        checksum_type=source.checksum_type,
        checksum=source.checksum,
        part_count=source.part_count,
        encryption=source.encryption,
        parts=find_parts(source.id) if source.part_count else None,
    )
    with transaction.atomic():
        published = share_version(
            bucket_id=bucket_id, key=source.key, source=source, version=version, conditions=conditions
        )
        with connection.cursor() as cursor:
            cursor.execute(_COPY_ANNOTATIONS, [source.id, published.row_id])
    return published
