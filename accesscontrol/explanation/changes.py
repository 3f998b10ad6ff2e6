"""Explain a decision: by which statement it came about, and the smallest change that would allow what is refused.

A change is found by trying: each way to let the principal in is applied to a copy of what decides, alone, then with
others, and the decision is made again. What is proposed therefore does what it says; that it is wise, nobody says.
Pure but for `decide`'s parts. Cost: a decision for each combination tried, below two hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from accesscontrol.acl import OBJECT_PERMISSIONS
from accesscontrol.authorization import TRUST_POLICY
from accesscontrol.explanation.question import Change, Explanation, Question
from accesscontrol.policy import Decision, Policy, PolicyKind, parse_policy
from accesscontrol.principal import Principal
from accesscontrol.public_access import ObjectOwnership

CHANGES_MAX = 4
VERSION = "2012-10-17"
BUCKET_POLICY = "bucket policy"


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What of a bucket decides, to be changed in trials."""

    name: str
    owner_id: str
    policy: str | None
    acl: str | None
    object_ownership: str
    public_access_block: str | None
    account_public_access_block: str | None
    tags: str | None
    is_abac_enabled: bool


@dataclass(frozen=True, slots=True)
class _Version:
    """What of a version decides, likewise."""

    is_delete_marker: bool
    owner_id: str
    acl: str | None
    tags: Mapping[str, str]


def explain(question: Question, *, remarks: Iterable[str] = ()) -> Explanation:
    """Decide, say by what, and find the smallest change that turns a no into a yes."""
    decision = question.decide()
    changes = () if decision.is_allowed else _smallest_change(question, decision)
    return Explanation(question.principal.arn, question.action, question.resource, decision, changes, tuple(remarks))


_Step = tuple[Change, Callable[[Question], Question]]


def _smallest_change(question: Question, decision: Decision) -> tuple[Change, ...] | None:
    """Try every way alone, then every two, until one leads to a yes. Denials come first: they bind in any case."""
    trial = _changeable(question)
    needed = [*_without_denials(decision)]
    for _, apply in needed:
        trial = apply(trial)
    if needed and trial.decide().is_allowed:
        return tuple(change for change, _ in needed)
    ways = list(_ways_in(trial))
    for count in range(1, CHANGES_MAX + 1):
        for chosen in combinations(ways, count):
            tried = trial
            for _, apply in chosen:
                tried = apply(tried)
            if tried.decide().is_allowed:
                return tuple(change for change, _ in (*needed, *chosen))
    return None


def _changeable(question: Question) -> Question:
    bucket, version = question.bucket, question.version
    if bucket is not None:
        bucket = _Bucket(
            bucket.name,
            bucket.owner_id,
            bucket.policy,
            bucket.acl,
            bucket.object_ownership,
            bucket.public_access_block,
            bucket.account_public_access_block,
            bucket.tags,
            bucket.is_abac_enabled,
        )
    if version is not None:
        version = _Version(version.is_delete_marker, version.owner_id, version.acl, version.tags)
    return replace(question, bucket=bucket, version=version)


def _without_denials(decision: Decision) -> Iterable[_Step]:
    """Yield what takes away each denial that matched."""
    denials = [match for match in decision.trace if not match.is_allow]
    for source, apply in ((BUCKET_POLICY, _drop_from_bucket), (TRUST_POLICY, _drop_from_role)):
        names = ", ".join(repr(match.name) for match in denials if match.source == source)
        if names:
            yield Change(source, f"remove, or narrow by a condition, the denying statement {names}"), apply
    others = [match for match in denials if match.source not in (BUCKET_POLICY, TRUST_POLICY)]
    if others:
        names = ", ".join(str(match) for match in others)
        yield Change("policies of the principal", f"remove, or narrow: {names}"), _drop_from_principal


def _drop_from_bucket(question: Question) -> Question:
    bucket = question.bucket
    assert isinstance(bucket, _Bucket)
    assert bucket.policy is not None
    kept = _without_denying(
        bucket.policy, BUCKET_POLICY, lambda policy: replace(question, bucket=replace(bucket, policy=policy))
    )
    return replace(question, bucket=replace(bucket, policy=kept))


def _drop_from_role(question: Question) -> Question:
    role = question.role
    assert role is not None
    kept = _without_denying(
        role.trust_policy, TRUST_POLICY, lambda policy: replace(question, role=replace(role, trust_policy=policy))
    )
    return replace(question, role=replace(role, trust_policy=kept or ""))


def _without_denying(policy: str, source: str, asked_with: Callable[[str], Question]) -> str | None:
    """Return a policy without the statements that deny what is asked; None where no other is left."""
    document = json.loads(policy)

    def denies(statement: Mapping[str, Any]) -> bool:
        decision = asked_with(json.dumps({**document, "Statement": [statement]})).decide()
        return any(match.source == source and not match.is_allow for match in decision.trace)

    kept = [statement for statement in _statements(document) if not denies(statement)]
    return json.dumps({**document, "Statement": kept}) if kept else None


def _statements(document: Mapping[str, Any]) -> list[Any]:
    listed = document["Statement"]
    return listed if isinstance(listed, list) else [listed]


def _drop_from_principal(question: Question) -> Question:
    policies = question.principal.policies

    def without(policy: Policy) -> Policy:
        return Policy(tuple(statement for statement in policy.statements if statement.is_allow), policy.origin)

    changed = replace(
        policies,
        identity=tuple(map(without, policies.identity)),
        boundary=None if policies.boundary is None else without(policies.boundary),
        session=None if policies.session is None else tuple(map(without, policies.session)),
    )
    return replace(question, principal=replace(question.principal, policies=changed))


def _ways_in(question: Question) -> Iterable[_Step]:
    """Yield what may let the principal in, the least far-reaching first."""
    principal, bucket = question.principal, question.bucket
    policies = principal.policies
    statement = {"Effect": "Allow", "Action": question.action, "Resource": question.resource}
    own = parse_policy(json.dumps({"Version": VERSION, "Statement": [statement]}), PolicyKind.IDENTITY)
    if bucket is not None and bucket.tags is not None and not bucket.is_abac_enabled:
        yield (
            Change("bucket", "enable ABAC: what policies say of the bucket's tags then counts, for everybody"),
            lambda asked: replace(asked, bucket=_replaced(asked, is_abac_enabled=True)),
        )
    if principal.account_id is not None and not principal.is_root:
        yield (
            Change("identity policy", f"attach to {_holder(principal)} a policy with this statement", statement),
            lambda asked: _with_policies(asked, identity=(*asked.principal.policies.identity, own)),
        )
    if policies.boundary is not None:
        yield (
            Change("permissions boundary", "add this statement to the boundary", statement),
            lambda asked: _with_policies(asked, boundary=_joined(asked.principal.policies.boundary, own)),
        )
    if policies.session is not None:
        yield (
            Change("session policy", "make the session with this statement", statement),
            lambda asked: _with_policies(asked, session=(*(asked.principal.policies.session or ()), own)),
        )
    if question.role is not None:
        trusted = {"Effect": "Allow", "Principal": _named(principal), "Action": question.action}
        yield Change(TRUST_POLICY, "add this statement", trusted), lambda asked: _with_trust(asked, trusted)
    if bucket is not None:
        named = {"Principal": _named(principal), **statement}
        yield Change(BUCKET_POLICY, "add this statement", named), lambda asked: _with_statement(asked, named)
        yield from _lists_and_blocks(question)


def _lists_and_blocks(question: Question) -> Iterable[_Step]:
    bucket, version = question.bucket, question.version
    assert isinstance(bucket, _Bucket)
    permission = OBJECT_PERMISSIONS.get(question.action)
    has_lists = bucket.object_ownership != ObjectOwnership.BUCKET_OWNER_ENFORCED
    if has_lists and isinstance(version, _Version) and permission is not None:
        grantee = question.principal.account_id or "AllUsers"
        listed = json.loads(version.acl) if version.acl else [[version.owner_id, "FULL_CONTROL"]]
        changed = replace(version, acl=json.dumps([*listed, [grantee, permission.value]]))
        yield (
            Change("access control list of the object", f"grant {permission.value} to {grantee}"),
            lambda asked: replace(asked, version=changed),
        )
        yield (
            Change("object ownership of the bucket", "set BucketOwnerEnforced: its owner then owns all objects"),
            lambda asked: replace(
                asked, bucket=_replaced(asked, object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED.value)
            ),
        )
    if bucket.public_access_block is not None:
        yield (
            Change("public access block", "switch RestrictPublicBuckets and IgnorePublicAcls off"),
            lambda asked: replace(asked, bucket=_replaced(asked, public_access_block=None)),
        )
    if bucket.account_public_access_block is not None:
        yield (
            Change("public access block of the account", "switch RestrictPublicBuckets and IgnorePublicAcls off"),
            lambda asked: replace(asked, bucket=_replaced(asked, account_public_access_block=None)),
        )


def _holder(principal: Principal) -> str:
    """Name what a policy is attached to: the role of a session, the user, the account."""
    return principal.issuer_names[0] if principal.issuer_names else principal.arn


def _named(principal: Principal) -> str | dict[str, str]:
    """Name a principal as the policy of a resource does."""
    if principal.federated_arn is not None:
        return {"Federated": principal.federated_arn}
    if principal.service:
        return {"Service": principal.service}
    return "*" if principal.is_anonymous else {"AWS": _holder(principal)}


def _with_policies(question: Question, **changed: Any) -> Question:
    policies = replace(question.principal.policies, **changed)
    return replace(question, principal=replace(question.principal, policies=policies))


def _joined(policy: Policy | None, more: Policy) -> Policy:
    return more if policy is None else Policy((*policy.statements, *more.statements), policy.origin)


def _replaced(question: Question, **changed: Any) -> _Bucket:
    assert isinstance(question.bucket, _Bucket)
    return replace(question.bucket, **changed)


def _with_statement(question: Question, statement: Mapping[str, Any]) -> Question:
    bucket = question.bucket
    assert bucket is not None
    return replace(question, bucket=_replaced(question, policy=_extended(bucket.policy, statement)))


def _with_trust(question: Question, statement: Mapping[str, Any]) -> Question:
    role = question.role
    assert role is not None
    return replace(question, role=replace(role, trust_policy=_extended(role.trust_policy, statement)))


def _extended(policy: str | None, statement: Mapping[str, Any]) -> str:
    document = json.loads(policy) if policy else {"Version": VERSION, "Statement": []}
    return json.dumps({**document, "Statement": [*_statements(document), statement]})
