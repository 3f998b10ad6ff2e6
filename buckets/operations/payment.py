"""Request payment and transfer acceleration: what is kept for clients that ask."""

from __future__ import annotations

from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from s3protocol import errors
from s3protocol.registry import operation

ACCELERATE = "accelerate"


@operation("GetBucketRequestPayment", action="s3:GetBucketRequestPayment")
def get_bucket_request_payment(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return who pays for requests."""
    return {"Payer": "Requester" if context.bucket.is_requester_pays else "BucketOwner"}


@operation("PutBucketRequestPayment", action="s3:PutBucketRequestPayment")
def put_bucket_request_payment(
    context: RequestContext, *, bucket: str, request_payment_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Say who pays for requests. With Requester, others must say x-amz-request-payer, and nobody can be anonymous."""
    services.put_bucket_request_payment(
        bucket_id=context.bucket.id, is_requester_pays=request_payment_configuration["Payer"] == "Requester"
    )
    return {}


@operation("GetBucketAccelerateConfiguration", action="s3:GetAccelerateConfiguration")
def get_bucket_accelerate_configuration(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return whether transfers are to be accelerated; nothing where nobody said so."""
    status = selectors.find_configuration(context.bucket.id, ACCELERATE)
    return {"Status": status} if status else {}


@operation("PutBucketAccelerateConfiguration", action="s3:PutAccelerateConfiguration")
def put_bucket_accelerate_configuration(
    context: RequestContext, *, bucket: str, accelerate_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Keep whether transfers are to be accelerated. They are as fast as they can be in either case."""
    if "Status" not in accelerate_configuration:
        raise errors.MalformedXML
    if "." in bucket:
        raise errors.InvalidRequest(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        )
    services.put_configuration(
        bucket_id=context.bucket.id, kind=ACCELERATE, document=accelerate_configuration["Status"]
    )
    return {}
