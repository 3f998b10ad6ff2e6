"""The four operations on inventory configurations."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.deposits import require_deposit
from buckets.identified import bucket_of_arn
from buckets.inventory import KIND, checked_document
from buckets.operations.identified import register_identified
from s3protocol import errors
from s3protocol.registry import operation


@operation("PutBucketInventoryConfiguration", action="s3:PutInventoryConfiguration")
def put_bucket_inventory_configuration(
    context: RequestContext,
    *,
    bucket: str,
    id: str,  # noqa: A002  the member's own name
    inventory_configuration: dict[str, Any],
) -> dict[str, Any]:
    """Ask for a report of the bucket's objects, every day or week."""
    document = checked_document(id, inventory_configuration)
    if selectors.find_bucket(bucket_of_arn(document["Destination"]["S3BucketDestination"]["Bucket"])) is None:
        raise errors.InvalidS3DestinationBucket
    destination = document["Destination"]["S3BucketDestination"]
    require_deposit(context, destination["Bucket"], destination.get("Prefix"), id)
    services.put_identified_configuration(bucket_id=context.bucket.id, kind=KIND, name=id, document=document)
    return {}


register_identified("Inventory", kind=KIND)
