"""May the service that delivers access logs write into a bucket? Asked when logging is set up, and for each log object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accesscontrol.acl import Group, Permission, read_acl
from accesscontrol.policy import AccessRequest, Reach, evaluate, parse_policy
from accesscontrol.public_access import ObjectOwnership
from accesscontrol.selectors import find_owner
from buckets.access_log import SERVICE
from buckets.models import Bucket
from buckets.selectors import BucketRecord, find_bucket
from s3protocol import errors


@dataclass(frozen=True, slots=True)
class _LogDelivery:
    """The service as the policy engine sees a principal."""

    account_id: None = None
    canonical_id: str = ""
    arn: str = SERVICE
    is_root: bool = False
    userid: str = SERVICE
    issuer_names: tuple[str, ...] = ()


def check_target(source: BucketRecord, configuration: Mapping[str, Any]) -> BucketRecord:
    """Return the bucket that logs are to go to.

    Raises InvalidTargetBucketForLogging, CrossLocationLoggingProhibited, and AccessDenied where it does not let the
    service write. S3 wants it to be of the same account. A bucket of another account may be it, too, if its policy lets the service in
    for this source by name.
    """
    target = find_bucket(configuration["TargetBucket"])
    if target is None:
        raise errors.InvalidTargetBucketForLogging(TargetBucket=configuration["TargetBucket"])
    if target.region != source.region:
        raise errors.CrossLocationLoggingProhibited
    if target.is_requester_pays or Bucket.objects.filter(pk=target.id, default_retention__isnull=False).exists():
        raise errors.InvalidTargetBucketForLogging(
            "The target bucket of logs has neither requesters pay nor a default retention.", TargetBucket=target.name
        )
    if not may_deliver(source, target, configuration["TargetPrefix"]):
        raise errors.AccessDenied(
            "The target bucket does not let logging.s3.amazonaws.com put objects for this bucket and prefix."
        )
    return target


def may_deliver(source: BucketRecord, target: BucketRecord, key: str) -> bool:
    """Decide whether the service may put an object for a source: by policy, or by grants to the log delivery group."""
    if target.policy is not None:
        request = AccessRequest(
            caller=_LogDelivery(),
            action="s3:PutObject",
            resource=f"arn:aws:s3:::{target.name}/{key}",
            context={
                "aws:sourcearn": (f"arn:aws:s3:::{source.name}",),
                # Policies that were written for other servers name accounts by their canonical id.
                "aws:sourceaccount": (source.owner_id, find_owner(source.owner_id).canonical_id),
                "aws:principalisawsservice": ("true",),
                "aws:principalservicename": (SERVICE,),
                "aws:securetransport": ("true",),
            },
        )
        decision = evaluate(request, owner_account_id=target.owner_id, resource_policy=parse_policy(target.policy))
        if any(not match.is_allow for match in decision.trace):
            return False
        # Everyone is everyone who signs in or not, and no service.
        if any(match.reach == Reach.PRINCIPAL for match in decision.trace):
            return True
    return source.owner_id == target.owner_id and _is_group_granted(target)


def _is_group_granted(target: BucketRecord) -> bool:
    if target.object_ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED:
        return False
    given = {
        grant.permission
        for grant in read_acl(target.acl, target.owner_id).grants
        if grant.grantee == Group.LOG_DELIVERY.value
    }
    return Permission.FULL_CONTROL in given or {Permission.WRITE, Permission.READ_ACP} <= given
