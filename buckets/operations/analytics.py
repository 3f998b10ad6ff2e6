"""The four operations on analytics configurations."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.analytics import ANALYTICS, checked_analytics
from buckets.context import RequestContext
from buckets.deposits import require_deposit
from buckets.identified import page_members
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


@operation("GetBucketAnalyticsConfiguration", action="s3:GetAnalyticsConfiguration")
def get_bucket_analytics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Return one of the bucket's analytics configurations."""
    return {"AnalyticsConfiguration": selectors.find_identified_configuration(context.bucket.id, ANALYTICS, id)}


@operation("ListBucketAnalyticsConfigurations", action="s3:GetAnalyticsConfiguration")
def list_bucket_analytics_configurations(
    context: RequestContext, *, bucket: str, continuation_token: str | None = None
) -> dict[str, Any]:
    """Return a page of them, by id."""
    page, following = selectors.list_identified_configurations(context.bucket.id, ANALYTICS, continuation_token)
    return page_members(page, list_name="AnalyticsConfigurationList", token=continuation_token, next_token=following)


@operation("DeleteBucketAnalyticsConfiguration", action="s3:PutAnalyticsConfiguration")
def delete_bucket_analytics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Forget one of them."""
    services.delete_identified_configuration(bucket_id=context.bucket.id, kind=ANALYTICS, name=id)
    return {}
