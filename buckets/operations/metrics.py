"""The four operations on metrics configurations."""

from __future__ import annotations

from typing import Any

from buckets import services
from buckets.analytics import METRICS, checked_metrics
from buckets.context import RequestContext
from buckets.operations.identified import register_identified
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


register_identified("Metrics", kind=METRICS)
