"""Bring back what was overwritten or deleted, as long as the bucket's history holds it."""

from __future__ import annotations

import json

from events.cause import CREATED_BY_COPY
from objects.selectors.lookup import find_parts, look_up_row
from objects.services.copy import share_version
from objects.services.publish import UNCONDITIONAL, NewVersion, PublishedVersion
from s3protocol import errors


def undelete_version(*, bucket_id: int, version_row: int) -> PublishedVersion:
    """Make a version, visible or in history, the current one again, as a new version that shares its chunks.

    What is current at the moment is superseded like by any write. Raises NoSuchVersion, MethodNotAllowed for a marker.
    """
    found = look_up_row(bucket_id=bucket_id, version_row=version_row)
    if found is None or found.version is None:
        raise errors.NoSuchVersion
    source = found.version
    if source.is_delete_marker:
        raise errors.MethodNotAllowed
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
    return share_version(bucket_id=bucket_id, key=source.key, source=source, version=version, conditions=UNCONDITIONAL)
