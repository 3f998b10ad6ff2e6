"""A bucket's tags, and whether policies may ask for them (attribute-based access control).

While they may, the tags change by S3 Control's operations alone: who was let change labels is not let change what decides.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html
"""

from __future__ import annotations

import json
from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.tags import BUCKET_TAG_COUNT_MAX, TAGGING, tag_set, tags_from_document
from s3protocol import errors
from s3protocol.registry import Decided, operation


@operation("GetBucketAbac", action="s3:GetBucketAbac")
def get_bucket_abac(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Say whether policies may ask for the bucket's tags."""
    return {"AbacStatus": {"Status": "Enabled" if context.bucket.is_abac_enabled else "Disabled"}}


@operation("PutBucketAbac", action="s3:PutBucketAbac")
def put_bucket_abac(context: RequestContext, *, bucket: str, abac_status: dict[str, Any]) -> dict[str, Any]:
    """Let policies ask for the bucket's tags, or not any more."""
    if "Status" not in abac_status:
        raise errors.MalformedXML
    services.put_bucket_abac(bucket_id=context.bucket.id, is_enabled=abac_status["Status"] == "Enabled")
    return {}


@operation("GetBucketTagging", action="s3:GetBucketTagging")
def get_bucket_tagging(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return a bucket's tags."""
    tags = selectors.find_configuration(context.bucket.id, TAGGING)
    if tags is None:
        raise errors.NoSuchTagSet(BucketName=bucket)
    return {"TagSet": tag_set(tags)}


@operation("PutBucketTagging", action="s3:PutBucketTagging")
def put_bucket_tagging(context: RequestContext, *, bucket: str, tagging: dict[str, Any]) -> dict[str, Any]:
    """Replace a bucket's tags."""
    tags = tags_from_document(tagging, count_max=BUCKET_TAG_COUNT_MAX)
    services.put_bucket_tagging(bucket_id=context.bucket.id, tags=tags)
    return {}


@operation("DeleteBucketTagging", action="s3:PutBucketTagging")
def delete_bucket_tagging(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Remove a bucket's tags."""
    services.put_bucket_tagging(bucket_id=context.bucket.id, tags=None)
    return {}


@operation("ListTagsForResource", action="s3:ListTagsForResource")
def list_tags_for_resource(context: RequestContext) -> dict[str, Any]:
    """Return a bucket's tags; without any, none."""
    return {"Tags": tag_set(json.loads(context.bucket.tags or "{}"))}


@operation("TagResource", action="s3:TagResource", decided=Decided.BY_BODY)
def tag_resource(context: RequestContext, *, tags: list[dict[str, str]]) -> dict[str, Any]:
    """Add tags to a bucket's, in place of those with the same keys."""
    added = tags_from_document({"TagSet": tags}, count_max=BUCKET_TAG_COUNT_MAX)
    services.change_bucket_tags(bucket_id=context.bucket.id, added=added)
    return {}


@operation("UntagResource", action="s3:UntagResource", decided=Decided.BY_BODY)
def untag_resource(context: RequestContext, *, tag_keys: list[str]) -> dict[str, Any]:
    """Remove some of a bucket's tags."""
    services.change_bucket_tags(bucket_id=context.bucket.id, removed=tag_keys)
    return {}
