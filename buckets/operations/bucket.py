"""Buckets themselves: list, create, head, location, versioning."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from accesscontrol.acl import AclDocument
from accesscontrol.public_access import ObjectOwnership, public_access_block
from accesscontrol.request_facts import resource_tag_values
from accesscontrol.requested_acl import AclHeaders, account_members, acl_of_headers
from accesscontrol.selectors import find_public_access_block
from buckets import selectors, services
from buckets.context import RequestContext
from buckets.models import Versioning, default_object_ownership
from buckets.tags import BUCKET_TAG_COUNT_MAX, tags_from_document
from s3protocol import errors
from s3protocol.registry import Decided, operation

LEGACY_REGION = "us-east-1"
BUCKET_PAGE_SIZE_MAX = 10_000


@operation("ListBuckets", action="s3:ListAllMyBuckets")
def list_buckets(
    context: RequestContext,
    *,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> dict[str, Any]:
    """List the caller's own buckets by name."""
    if max_buckets is not None and not 1 <= max_buckets <= BUCKET_PAGE_SIZE_MAX:
        raise errors.InvalidArgument(ArgumentName="max-buckets", ArgumentValue=str(max_buckets))
    limit = max_buckets or BUCKET_PAGE_SIZE_MAX
    found = selectors.list_buckets(
        owner_id=context.account_id,
        prefix=prefix or "",
        after=_decode_token(continuation_token),
        region="" if bucket_region == context.region else bucket_region or "",
        limit=limit + 1,
    )
    answer: dict[str, Any] = {
        "Buckets": [
            {"Name": bucket.name, "CreationDate": bucket.created_at, "BucketRegion": bucket.region or context.region}
            for bucket in found[:limit]
        ],
        "Owner": account_members(context.account_id),
    }
    if prefix:
        answer["Prefix"] = prefix
    if len(found) > limit:
        answer["ContinuationToken"] = base64.urlsafe_b64encode(found[limit - 1].name.encode()).decode()
    return answer


def _decode_token(token: str | None) -> str:
    try:
        return base64.b64decode((token or "").encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise errors.InvalidArgument(ArgumentName="continuation-token") from None


@operation("CreateBucket", action="s3:CreateBucket", decided=Decided.BY_BODY)
def create_bucket(
    context: RequestContext,
    *,
    bucket: str,
    acl: str | None = None,
    create_bucket_configuration: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
    object_lock_enabled_for_bucket: bool | None = None,
    object_ownership: str | None = None,
) -> dict[str, Any]:
    """Create a bucket. Creating one's own again succeeds in us-east-1, as it does there in AWS."""
    configuration = create_bucket_configuration or {}
    constraint = configuration.get("LocationConstraint", "")
    if constraint not in ("", context.region):
        raise errors.InvalidLocationConstraint(LocationConstraint=constraint)
    if configuration.keys() - {"LocationConstraint", "Tags"}:
        raise errors.NotImplemented
    ownership = None if object_ownership is None else ObjectOwnership(object_ownership)
    headers = AclHeaders(acl, grant_full_control, grant_read, grant_read_acp, grant_write, grant_write_acp)
    tags = tags_from_document({"TagSet": configuration.get("Tags", [])}, count_max=BUCKET_TAG_COUNT_MAX)
    if tags:
        context.authorize("s3:TagResource", bucket_name=bucket, stated=resource_tag_values(tags))
    try:
        created = services.create_bucket(
            name=bucket,
            owner_id=context.account_id,
            region=constraint,
            is_lock_enabled=bool(object_lock_enabled_for_bucket),
            acl=_new_acl(context, headers, ownership),
            ownership=ownership,
        )
    except errors.BucketAlreadyOwnedByYou:
        if context.region != LEGACY_REGION:
            raise
    else:
        if tags:
            services.put_bucket_tagging(bucket_id=created.pk, tags=tags)
    return {"Location": f"/{bucket}"}


def _new_acl(context: RequestContext, headers: AclHeaders, ownership: ObjectOwnership | None) -> AclDocument | None:
    """Return the grants that a new bucket is asked to have. Raises InvalidBucketAclWithObjectOwnership."""
    acl = acl_of_headers(headers, owner_id=context.account_id, bucket_owner_id=context.account_id)
    document = acl.document(context.account_id)
    is_enforced = (ownership or default_object_ownership()) == ObjectOwnership.BUCKET_OWNER_ENFORCED
    if document is not None and is_enforced:
        raise errors.InvalidBucketAclWithObjectOwnership
    if acl.is_public and public_access_block(find_public_access_block(context.account_id) or {}).blocks_public_acls:
        raise errors.AccessDenied
    return document


@operation("HeadBucket", action="s3:ListBucket")
def head_bucket(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Say that a bucket is there, and where."""
    return {"BucketRegion": context.bucket.region or context.region, "AccessPointAlias": False}


@operation("GetBucketLocation", action="s3:GetBucketLocation")
def get_bucket_location(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return a bucket's region; us-east-1 is written as nothing."""
    region = context.bucket.region or context.region
    return {} if region == LEGACY_REGION else {"LocationConstraint": region}


@operation("GetBucketVersioning", action="s3:GetBucketVersioning")
def get_bucket_versioning(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return a bucket's versioning state; nothing where it was never enabled."""
    return {"Status": context.bucket.versioning} if context.bucket.versioning else {}


@operation("PutBucketVersioning", action="s3:PutBucketVersioning")
def put_bucket_versioning(
    context: RequestContext, *, bucket: str, versioning_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Enable or suspend versioning."""
    if versioning_configuration.get("MFADelete", "Disabled") != "Disabled":
        raise errors.NotImplemented
    status = versioning_configuration.get("Status")
    if status is None:
        raise errors.IllegalVersioningConfigurationException
    services.put_bucket_versioning(bucket_id=context.bucket.id, status=Versioning(status))
    return {}
