"""GetObjectTagging, PutObjectTagging, DeleteObjectTagging."""

from __future__ import annotations

from typing import Any

from buckets.context import RequestContext
from buckets.tags import OBJECT_TAG_COUNT_MAX, tag_set, tags_from_document
from events.cause import TAGS_DELETED
from objects.operations.answers import version_members
from objects.operations.read import readable_version
from objects.services.tagging import put_object_tagging as store_tags
from s3protocol.registry import Decided, operation


@operation(
    "GetObjectTagging",
    action="s3:GetObjectTagging",
    versioned_action="s3:GetObjectVersionTagging",
    reads_object=True,
)
def get_object_tagging(
    context: RequestContext, *, bucket: str, key: str, version_id: str | None = None
) -> dict[str, Any]:
    """Return an object's tags, none being an empty set."""
    version = readable_version(context, key, version_id)
    return {"TagSet": tag_set(version.tags), **version_members(context.bucket, version.version_id)}


@operation(
    "PutObjectTagging",
    action="s3:PutObjectTagging",
    versioned_action="s3:PutObjectVersionTagging",
    reads_object=True,
    decided=Decided.BY_BODY,
)
def put_object_tagging(
    context: RequestContext, *, bucket: str, key: str, tagging: dict[str, Any], version_id: str | None = None
) -> dict[str, Any]:
    """Replace an object's tags."""
    version = readable_version(context, key, version_id)
    store_tags(version_row=version.id, tags=tags_from_document(tagging, count_max=OBJECT_TAG_COUNT_MAX))
    return version_members(context.bucket, version.version_id)


@operation(
    "DeleteObjectTagging",
    action="s3:DeleteObjectTagging",
    versioned_action="s3:DeleteObjectVersionTagging",
    reads_object=True,
)
def delete_object_tagging(
    context: RequestContext, *, bucket: str, key: str, version_id: str | None = None
) -> dict[str, Any]:
    """Remove an object's tags."""
    version = readable_version(context, key, version_id)
    store_tags(version_row=version.id, tags={}, event_name=TAGS_DELETED)
    return version_members(context.bucket, version.version_id)
