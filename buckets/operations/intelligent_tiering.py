"""The four operations on intelligent-tiering configurations."""

from __future__ import annotations

from typing import Any

from buckets import services
from buckets.context import RequestContext
from buckets.intelligent_tiering import KIND, checked_tiering
from buckets.operations.identified import register_identified
from s3protocol.registry import operation


@operation("PutBucketIntelligentTieringConfiguration", action="s3:PutIntelligentTieringConfiguration")
def put_bucket_intelligent_tiering_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
    intelligent_tiering_configuration: dict[str, Any],
) -> dict[str, Any]:
    """Ask for objects that nobody reads to be archived."""
    services.put_identified_configuration(
        bucket_id=context.bucket.id, kind=KIND, name=id, document=checked_tiering(id, intelligent_tiering_configuration)
    )
    return {}


register_identified("IntelligentTiering", kind=KIND)
