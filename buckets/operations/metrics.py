"""The four operations on metrics configurations."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.analytics import METRICS, checked_metrics
from buckets.context import RequestContext
from buckets.identified import page_members
from s3protocol.registry import operation


@operation("PutBucketMetricsConfiguration", action="s3:PutMetricsConfiguration")
def put_bucket_metrics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
    metrics_configuration: dict[str, Any],
) -> dict[str, Any]:
    """Ask for figures about requests and storage."""
    services.put_identified_configuration(
        bucket_id=context.bucket.id, kind=METRICS, name=id, document=checked_metrics(id, metrics_configuration)
    )
    return {}


@operation("GetBucketMetricsConfiguration", action="s3:GetMetricsConfiguration")
def get_bucket_metrics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Return one of the bucket's metrics configurations."""
    return {"MetricsConfiguration": selectors.find_identified_configuration(context.bucket.id, METRICS, id)}


@operation("ListBucketMetricsConfigurations", action="s3:GetMetricsConfiguration")
def list_bucket_metrics_configurations(
    context: RequestContext, *, bucket: str, continuation_token: str | None = None
) -> dict[str, Any]:
    """Return a page of them, by id."""
    page, following = selectors.list_identified_configurations(context.bucket.id, METRICS, continuation_token)
    return page_members(page, list_name="MetricsConfigurationList", token=continuation_token, next_token=following)


@operation("DeleteBucketMetricsConfiguration", action="s3:PutMetricsConfiguration")
def delete_bucket_metrics_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Forget one of them."""
    services.delete_identified_configuration(bucket_id=context.bucket.id, kind=METRICS, name=id)
    return {}
