"""The four operations on analytics configurations."""

from __future__ import annotations

from typing import Any

from buckets import services
from buckets.analytics import ANALYTICS, checked_analytics
from buckets.context import RequestContext
from buckets.deposits import require_deposit
from buckets.operations.identified import register_identified
from s3protocol.registry import operation


@operation("PutBucketAnalyticsConfiguration", action="s3:PutAnalyticsConfiguration")
def put_bucket_analytics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
    analytics_configuration: dict[str, Any],
) -> dict[str, Any]:
    """Ask for an analysis of how objects are stored and read, and for its export every day."""
    document = checked_analytics(id, analytics_configuration)
    exported = document.get("StorageClassAnalysis", {}).get("DataExport")
    if exported is not None:
        destination = exported["Destination"]["S3BucketDestination"]
        require_deposit(context, destination["Bucket"], destination.get("Prefix"), id)
    services.put_identified_configuration(bucket_id=context.bucket.id, kind=ANALYTICS, name=id, document=document)
    return {}


register_identified("Analytics", kind=ANALYTICS)
