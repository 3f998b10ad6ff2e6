"""GetBucketWebsite, PutBucketWebsite, DeleteBucketWebsite."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.website import KIND, checked_document
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketWebsite", action="s3:GetBucketWebsite")
def get_bucket_website(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return how the bucket is served as a website."""
    document: dict[str, Any] | None = selectors.find_configuration(context.bucket.id, KIND)
    if document is None:
        raise errors.NoSuchWebsiteConfiguration(BucketName=bucket)
    return document


@operation("PutBucketWebsite", action="s3:PutBucketWebsite")
def put_bucket_website(
    context: RequestContext, *, bucket: str, website_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Serve the bucket as a website: what of it is public, and no more."""
    services.put_configuration(bucket_id=context.bucket.id, kind=KIND, document=checked_document(website_configuration))
    return {}


@operation("DeleteBucketWebsite", action="s3:DeleteBucketWebsite")
def delete_bucket_website(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Serve the bucket as a website no longer."""
    services.delete_configuration(bucket_id=context.bucket.id, kind=KIND)
    return {}
