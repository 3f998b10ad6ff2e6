"""What can be asked of a bucket and is never configured here: access logs. Clients look before they act."""

from __future__ import annotations

from typing import Any

from buckets.context import RequestContext
from s3protocol.registry import operation


@operation("GetBucketLogging", action="s3:GetBucketLogging")
def get_bucket_logging(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Say that the bucket writes no access logs."""
    return {}
