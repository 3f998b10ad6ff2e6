"""GetBucketLogging and PutBucketLogging: whether requests to a bucket are written down, and where to."""

from __future__ import annotations

from typing import Any

from accesscontrol.requested_acl import acl_of_log_grants, log_grant_members
from buckets import selectors, services
from buckets.access_log import KIND, checked_configuration
from buckets.context import RequestContext
from buckets.log_delivery import check_target
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketLogging", action="s3:GetBucketLogging")
def get_bucket_logging(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Say where the bucket's access logs go; nothing where none are written."""
    configuration = selectors.find_configuration(context.bucket.id, KIND)
    if configuration is None:
        return {}
    shown = {name: value for name, value in configuration.items() if name != "Acl"}
    shown.setdefault("TargetObjectKeyFormat", {"SimplePrefix": {}})
    if configuration.get("Acl"):
        shown["TargetGrants"] = log_grant_members(configuration["Acl"])
    return {"LoggingEnabled": shown}


@operation("PutBucketLogging", action="s3:PutBucketLogging")
def put_bucket_logging(
    context: RequestContext, *, bucket: str, bucket_logging_status: dict[str, Any]
) -> dict[str, Any]:
    """Begin to write access logs to a bucket, or end it.

    Raises AccessDenied to all but the bucket's own account, InvalidTargetBucketForLogging.
    """
    if context.principal.account_id != context.bucket.owner_id:
        raise errors.AccessDenied
    configuration = checked_configuration(bucket_logging_status)
    if configuration is None:
        services.put_bucket_logging(bucket_id=context.bucket.id, document=None)
        return {}
    target = check_target(context.bucket, configuration)
    grants = configuration.pop("TargetGrants", [])
    if grants:
        acl = acl_of_log_grants(grants)
        if target.object_ownership == "BucketOwnerEnforced":
            raise errors.AccessControlListNotSupported
        configuration["Acl"] = acl
    services.put_bucket_logging(bucket_id=context.bucket.id, document=configuration)
    return {}
