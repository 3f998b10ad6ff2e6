"""The four operations on intelligent-tiering configurations."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.identified import page_members
from buckets.intelligent_tiering import KIND, checked_tiering
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


@operation("GetBucketIntelligentTieringConfiguration", action="s3:GetIntelligentTieringConfiguration")
def get_bucket_intelligent_tiering_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Return one of the bucket's intelligent-tiering configurations."""
    return {"IntelligentTieringConfiguration": selectors.find_identified_configuration(context.bucket.id, KIND, id)}


@operation("ListBucketIntelligentTieringConfigurations", action="s3:GetIntelligentTieringConfiguration")
def list_bucket_intelligent_tiering_configurations(
    context: RequestContext, *, bucket: str, continuation_token: str | None = None
) -> dict[str, Any]:
    """Return a page of them, by id."""
    page, following = selectors.list_identified_configurations(context.bucket.id, KIND, continuation_token)
    return page_members(
        page, list_name="IntelligentTieringConfigurationList", token=continuation_token, next_token=following
    )


@operation("DeleteBucketIntelligentTieringConfiguration", action="s3:PutIntelligentTieringConfiguration")
def delete_bucket_intelligent_tiering_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
) -> dict[str, Any]:
    """Forget one of them."""
    services.delete_identified_configuration(bucket_id=context.bucket.id, kind=KIND, name=id)
    return {}
