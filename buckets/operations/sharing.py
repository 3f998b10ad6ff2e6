"""With whom a bucket is shared: its policy, access control list, object ownership and public access block."""

from __future__ import annotations

from typing import Any

from accesscontrol.acl import read_acl
from accesscontrol.policy import PolicyError, PolicyKind, is_public, parse_policy
from accesscontrol.public_access import ObjectOwnership, block_of, public_access_block, read_public_access_block
from accesscontrol.requested_acl import AclHeaders, acl_members, check_acl_is_possible, requested_acl
from accesscontrol.selectors import find_public_access_block
from buckets import services
from buckets.context import RequestContext
from s3protocol import errors
from s3protocol.registry import operation

POLICY_SIZE_BYTES_MAX = 20 * 1024
NO_LOCK_OUT = {
    "ConfirmRemoveSelfBucketAccess": "the owner's root user can always change the policy, so there is nothing to confirm"
}


@operation("GetBucketPolicy", action="s3:GetBucketPolicy")
def get_bucket_policy(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return the policy, as it was sent."""
    if context.bucket.policy is None:
        raise errors.NoSuchBucketPolicy(BucketName=bucket)
    return {"Policy": context.bucket.policy}


@operation("PutBucketPolicy", action="s3:PutBucketPolicy", harmless=NO_LOCK_OUT)
def put_bucket_policy(context: RequestContext, *, bucket: str, policy: str) -> dict[str, Any]:
    """Replace the policy. Raises MalformedPolicy, and AccessDenied for a public one where those are blocked."""
    if len(policy.encode()) > POLICY_SIZE_BYTES_MAX:
        raise errors.MalformedPolicy(f"The policy is larger than {POLICY_SIZE_BYTES_MAX} bytes.")
    try:
        parsed = parse_policy(policy, PolicyKind.RESOURCE, bucket)
    except PolicyError as error:
        raise errors.MalformedPolicy(str(error)) from None
    if is_public(parsed) and block_of(context.bucket).blocks_public_policy:
        raise errors.AccessDenied
    services.put_bucket_policy(bucket_id=context.bucket.id, policy=policy)
    return {"__status__": 204}  # as AWS answers; the model says 200


@operation("DeleteBucketPolicy", action="s3:DeleteBucketPolicy")
def delete_bucket_policy(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Remove the policy."""
    services.put_bucket_policy(bucket_id=context.bucket.id, policy=None)
    return {}


@operation("GetBucketPolicyStatus", action="s3:GetBucketPolicyStatus")
def get_bucket_policy_status(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Say whether the policy or the access control list makes the bucket public."""
    policy = context.bucket.policy
    is_shared = policy is not None and is_public(parse_policy(policy))
    is_listed = context.bucket.object_ownership != ObjectOwnership.BUCKET_OWNER_ENFORCED
    is_listed = is_listed and read_acl(context.bucket.acl, context.bucket.owner_id).is_public
    is_listed = is_listed and not block_of(context.bucket).ignores_public_acls
    return {"PolicyStatus": {"IsPublic": is_shared or is_listed}}


@operation("GetBucketAcl", action="s3:GetBucketAcl")
def get_bucket_acl(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return the bucket's owner and grants."""
    owner_id = context.bucket.owner_id
    return acl_members(read_acl(context.bucket.acl, owner_id), owner_id)


@operation("PutBucketAcl", action="s3:PutBucketAcl")
def put_bucket_acl(
    context: RequestContext,
    *,
    bucket: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
) -> dict[str, Any]:
    """Replace the bucket's grants."""
    owner_id = context.bucket.owner_id
    headers = AclHeaders(acl, grant_full_control, grant_read, grant_read_acp, grant_write, grant_write_acp)
    wanted = requested_acl(headers, access_control_policy, owner_id=owner_id, bucket_owner_id=owner_id)
    check_acl_is_possible(context.bucket, wanted, headers)
    services.put_bucket_acl(bucket_id=context.bucket.id, acl=wanted.document(owner_id))
    return {}


@operation("GetBucketOwnershipControls", action="s3:GetBucketOwnershipControls")
def get_bucket_ownership_controls(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return who owns what others write."""
    if not context.bucket.object_ownership:
        raise errors.OwnershipControlsNotFoundError(BucketName=bucket)
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": context.bucket.object_ownership}]}}


@operation("PutBucketOwnershipControls", action="s3:PutBucketOwnershipControls")
def put_bucket_ownership_controls(
    context: RequestContext, *, bucket: str, ownership_controls: dict[str, Any]
) -> dict[str, Any]:
    """Say who owns what others write."""
    rules = ownership_controls.get("Rules", [])
    if len(rules) != 1 or "ObjectOwnership" not in rules[0]:
        raise errors.MalformedXML
    services.put_bucket_ownership_controls(
        bucket_id=context.bucket.id, ownership=ObjectOwnership(rules[0]["ObjectOwnership"])
    )
    return {}


@operation("DeleteBucketOwnershipControls", action="s3:PutBucketOwnershipControls")
def delete_bucket_ownership_controls(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Leave what others write to them."""
    services.put_bucket_ownership_controls(bucket_id=context.bucket.id, ownership=None)
    return {}


@operation("GetPublicAccessBlock", action="s3:GetBucketPublicAccessBlock")
def get_public_access_block(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return what the bucket refuses to share with everyone."""
    if context.bucket.public_access_block is None:
        raise errors.NoSuchPublicAccessBlockConfiguration(BucketName=bucket)
    block = read_public_access_block(context.bucket.public_access_block)
    return {"PublicAccessBlockConfiguration": block.document()}


@operation("PutPublicAccessBlock", action="s3:PutBucketPublicAccessBlock")
def put_public_access_block(
    context: RequestContext, *, bucket: str, public_access_block_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Say what the bucket refuses to share with everyone."""
    services.put_public_access_block(
        bucket_id=context.bucket.id, block=public_access_block(public_access_block_configuration)
    )
    return {}


@operation("DeletePublicAccessBlock", action="s3:PutBucketPublicAccessBlock")
def delete_public_access_block(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Refuse nothing any more."""
    services.put_public_access_block(bucket_id=context.bucket.id, block=None)
    return {}


@operation("GetAccountPublicAccessBlock", action="s3:GetAccountPublicAccessBlock")
def get_account_public_access_block(context: RequestContext) -> dict[str, Any]:
    """Return what all buckets of the account refuse to share with everyone."""
    stored = find_public_access_block(context.account_id)
    if stored is None:
        raise errors.NoSuchPublicAccessBlockConfiguration
    return {"PublicAccessBlockConfiguration": public_access_block(stored).document()}


@operation("PutAccountPublicAccessBlock", action="s3:PutAccountPublicAccessBlock")
def put_account_public_access_block(
    context: RequestContext, *, public_access_block_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Say what all buckets of the account refuse to share with everyone."""
    block = public_access_block(public_access_block_configuration)
    services.put_account_public_access_block(account_id=context.account_id, block=block)
    return {}


@operation("DeleteAccountPublicAccessBlock", action="s3:PutAccountPublicAccessBlock")
def delete_account_public_access_block(context: RequestContext) -> dict[str, Any]:
    """Leave it to each bucket what it refuses."""
    services.put_account_public_access_block(account_id=context.account_id, block=None)
    return {}
