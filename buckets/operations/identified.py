"""What is the same for every kind of configuration with an id: reading one, listing them, deleting one.

Putting one is each kind's own: analytics, inventory, intelligent tiering, metrics.
"""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.identified import page_members
from s3protocol.registry import operation


def register_identified(noun: str, *, kind: str) -> None:
    """Register Get, List and Delete of a kind's configurations, which S3 names by a noun: `Inventory`."""
    member = f"{noun}Configuration"

    @operation(f"GetBucket{member}", action=f"s3:Get{member}")
    def get_configuration(
        context: RequestContext,
        *,
        bucket: str,
        id: str,  # noqa: A002  the member's own name
    ) -> dict[str, Any]:
        """Return one of the bucket's configurations."""
        return {member: selectors.find_identified_configuration(context.bucket.id, kind, id)}

    @operation(f"ListBucket{member}s", action=f"s3:Get{member}")
    def list_configurations(
        context: RequestContext, *, bucket: str, continuation_token: str | None = None
    ) -> dict[str, Any]:
        """Return a page of them, by id."""
        page, following = selectors.list_identified_configurations(context.bucket.id, kind, continuation_token)
        return page_members(page, list_name=f"{member}List", token=continuation_token, next_token=following)

    @operation(f"DeleteBucket{member}", action=f"s3:Put{member}")
    def delete_configuration(
        context: RequestContext,
        *,
        bucket: str,
        id: str,  # noqa: A002  the member's own name
    ) -> dict[str, Any]:
        """Forget one of them."""
        services.delete_identified_configuration(bucket_id=context.bucket.id, kind=kind, name=id)
        return {}
