"""GetBucketCors, PutBucketCors, DeleteBucketCors. Preflight requests are answered by the endpoint."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.cors import KIND, checked_rules
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketCors", action="s3:GetBucketCORS")
def get_bucket_cors(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return a bucket's rules for requests from other origins."""
    rules = selectors.find_configuration(context.bucket.id, KIND)
    if rules is None:
        raise errors.NoSuchCORSConfiguration(BucketName=bucket)
    return {"CORSRules": rules}


@operation("PutBucketCors", action="s3:PutBucketCORS")
def put_bucket_cors(context: RequestContext, *, bucket: str, cors_configuration: dict[str, Any]) -> dict[str, Any]:
    """Replace a bucket's rules."""
    services.put_configuration(bucket_id=context.bucket.id, kind=KIND, document=checked_rules(cors_configuration))
    return {}


@operation("DeleteBucketCors", action="s3:PutBucketCORS")
def delete_bucket_cors(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Remove a bucket's rules."""
    services.delete_configuration(bucket_id=context.bucket.id, kind=KIND)
    return {}
