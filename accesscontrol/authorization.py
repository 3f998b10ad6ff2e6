"""Decide whether a principal may do an action on a resource. The one place that says yes.

Fails closed: what no policy, no access control list and no ownership allows is denied. The parts are pure (`policy`,
`acl`, `public_access`); here they meet what is known of the bucket and the version. docs/design/access-control.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from accesscontrol.acl import BUCKET_PERMISSIONS, OBJECT_PERMISSIONS, read_acl
from accesscontrol.policy import (
    NO_POLICIES,
    AccessRequest,
    Decision,
    Grant,
    Outcome,
    Policy,
    PolicyKind,
    evaluate,
    is_public,
    parse_policy,
)
from accesscontrol.principal import Principal, PrincipalKind
from accesscontrol.public_access import ObjectOwnership, PublicAccessBlock, block_of
from accesscontrol.request_facts import NO_FACTS, RequestFacts, StatedValues, context_values

# What the owner of an object decides about, where that is another account than the bucket's. Everything else, to write,
# to overwrite and to delete, is the bucket owner's.
OBJECT_OWNER_ACTIONS = frozenset({*OBJECT_PERMISSIONS, "s3:GetObjectAttributes", "s3:GetObjectVersionAttributes"})
# What no bucket policy takes away from the root user of the owning account, so that nobody is locked out for good.
POLICY_ACTIONS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})

TRUST_POLICY = "trust policy"

_ALLOWED_OWNER = Decision(
    Outcome.ALLOWED, "the root user of the owning account may do everything with what it owns, and no policy says no"
)
_ALLOWED_POLICY = Decision(Outcome.ALLOWED, "the root user of the owning account may always change the bucket policy")


class BucketAccess(Protocol):
    """What of a bucket decides about access; the texts are as they are stored."""

    @property
    def name(self) -> str: ...  # noqa: D102  see the class
    @property
    def owner_id(self) -> str: ...  # noqa: D102
    @property
    def policy(self) -> str | None: ...  # noqa: D102
    @property
    def acl(self) -> str | None: ...  # noqa: D102
    @property
    def object_ownership(self) -> str: ...  # noqa: D102
    @property
    def public_access_block(self) -> str | None: ...  # noqa: D102
    @property
    def account_public_access_block(self) -> str | None: ...  # noqa: D102
    @property
    def tags(self) -> str | None: ...  # noqa: D102
    @property
    def is_abac_enabled(self) -> bool: ...  # noqa: D102


class VersionAccess(Protocol):
    """What of a version decides about access."""

    @property
    def is_delete_marker(self) -> bool: ...  # noqa: D102
    @property
    def owner_id(self) -> str: ...  # noqa: D102
    @property
    def acl(self) -> str | None: ...  # noqa: D102
    @property
    def tags(self) -> Mapping[str, str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """What of a role decides about becoming it: the text of its trust policy, and its tags as values of condition keys."""

    arn: str
    account_id: str
    trust_policy: str
    tags: Mapping[str, str]


def decide(
    principal: Principal,
    *,
    action: str,
    bucket: BucketAccess | None = None,
    bucket_name: str | None = None,
    key: str | None = None,
    version: VersionAccess | None = None,
    facts: RequestFacts = NO_FACTS,
    request_tags: Mapping[str, str] | None = None,
    stated: StatedValues | None = None,
) -> Decision:
    """Decide about an action (`s3:GetObject`) on the service, on a bucket, or with a key on an object in it.

    A bucket that is to be made has a name alone.
    `version` is what was found at the key, where the action is about it. For `request_tags` and `stated`, further values
    of condition keys, see `request_facts`. No queries.
    """
    if bucket is None:
        return _decide_service(principal, action, bucket_name or "*", facts, stated)
    is_own_root = principal.account_id == bucket.owner_id and principal.is_root and principal.policies is NO_POLICIES
    owner_id = (
        object_owner_id(bucket, version.owner_id) if version and action in OBJECT_OWNER_ACTIONS else bucket.owner_id
    )
    if is_own_root and action in POLICY_ACTIONS:
        return _ALLOWED_POLICY
    if is_own_root and bucket.policy is None and owner_id == bucket.owner_id:
        return _ALLOWED_OWNER
    policy = None if bucket.policy is None else parse_policy(bucket.policy)
    block = block_of(bucket)
    request = AccessRequest(
        caller=principal,
        action=action,
        resource=f"arn:aws:s3:::{bucket.name}" + ("" if key is None else f"/{key}"),
        context=context_values(
            facts,
            principal,
            owner_id=bucket.owner_id,
            bucket_tags=json.loads(bucket.tags) if bucket.is_abac_enabled and bucket.tags is not None else None,
            existing_tags=None if version is None else version.tags,
            request_tags=request_tags,
            stated=stated,
        ),
    )
    return evaluate(
        request,
        owner_account_id=owner_id,
        principal_policies=principal.policies,
        resource_policy=policy,
        is_resource_policy_granting=owner_id == bucket.owner_id
        and not _is_restricted(principal, bucket, policy, block),
        grants=_grants(principal, action, bucket, version, block),
    )


def decide_about(
    principal: Principal,
    *,
    action: str,
    resource: str,
    owner_account_id: str,
    facts: RequestFacts = NO_FACTS,
    stated: StatedValues | None = None,
) -> Decision:
    """Decide about an action of IAM or STS on a resource of an account, by its ARN. No queries."""
    values = context_values(facts, principal, owner_id=owner_account_id, stated=stated)
    return evaluate(
        AccessRequest(principal, action, resource, values),
        owner_account_id=owner_account_id,
        principal_policies=principal.policies,
    )


def decide_trust(
    principal: Principal,
    *,
    action: str,
    role: RoleAccess,
    facts: RequestFacts = NO_FACTS,
    stated: StatedValues | None = None,
) -> Decision:
    """Decide about becoming a role (`sts:AssumeRole` and what goes with it). No queries.

    Nothing opens a role that its trust policy does not; root users and whoever comes without credentials become none.
    """
    tags = {f"{key}/{tag}": value for tag, value in role.tags.items() for key in ("aws:resourcetag", "iam:resourcetag")}
    decision = evaluate(
        AccessRequest(
            principal,
            action,
            role.arn,
            context_values(facts, principal, owner_id=role.account_id, stated={**tags, **(stated or {})}),
        ),
        owner_account_id=role.account_id,
        principal_policies=principal.policies,
        resource_policy=parse_policy(role.trust_policy, PolicyKind.TRUST) if role.trust_policy else None,
        resource_source=TRUST_POLICY,
    )
    if not decision.is_allowed:
        return decision
    if principal.kind is PrincipalKind.ROOT:
        return replace(decision, outcome=Outcome.IMPLICIT_DENY, reason="root users of accounts assume no roles")
    if principal.is_anonymous and principal.federated_arn is None:
        return replace(decision, outcome=Outcome.IMPLICIT_DENY, reason="nobody assumes a role without credentials")
    if not any(match.source == TRUST_POLICY and match.is_allow for match in decision.trace):
        reason = f"the trust policy of the role does not allow {action} to {principal.arn}"
        return replace(decision, outcome=Outcome.IMPLICIT_DENY, reason=reason)
    return decision


def _decide_service(
    principal: Principal, action: str, bucket_name: str, facts: RequestFacts, stated: StatedValues | None
) -> Decision:
    """Decide about the service itself: listing one's buckets, making one."""
    context = context_values(facts, principal, owner_id=None, stated=stated)
    request = AccessRequest(principal, action, f"arn:aws:s3:::{bucket_name}", context)
    return evaluate(request, owner_account_id=None, principal_policies=principal.policies)


def object_owner_id(bucket: BucketAccess, writer_id: str) -> str:
    """Return the account that an object belongs to: its writer's, or the bucket owner who enforces that."""
    if bucket.object_ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED:
        return bucket.owner_id
    return writer_id


def _is_restricted(principal: Principal, bucket: BucketAccess, policy: Policy | None, block: PublicAccessBlock) -> bool:
    """Say whether a public policy counts for nothing, because the bucket is restricted to its owner's account."""
    if not block.restricts_public_buckets or principal.account_id == bucket.owner_id:
        return False
    return policy is not None and is_public(policy)


def _grants(
    principal: Principal, action: str, bucket: BucketAccess, version: VersionAccess | None, block: PublicAccessBlock
) -> list[Grant]:
    """Return what the access control list of the object or the bucket says for the principal."""
    if bucket.object_ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED:
        return []
    if action in OBJECT_PERMISSIONS:
        if version is None or version.acl is None:
            return []
        acl, permission = read_acl(version.acl, version.owner_id), OBJECT_PERMISSIONS[action]
    elif action in BUCKET_PERMISSIONS and bucket.acl is not None:
        acl, permission = read_acl(bucket.acl, bucket.owner_id), BUCKET_PERMISSIONS[action]
    else:
        return []
    return list(acl.grants_for(principal, permission, ignores_public=block.ignores_public_acls))
