"""Explain a decision: by which statement it came about, and the smallest change that would allow what is refused.

A change is found by trying: each way to let the principal in is applied to a copy of what decides, alone, then with
others, and the decision is made again. What is proposed therefore does what it says; that it is wise, nobody says.
Pure but for `decide`'s parts. Cost: a decision for each combination tried, below two hundred.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from accesscontrol.acl import OBJECT_PERMISSIONS
from accesscontrol.arns import read_arn
from accesscontrol.authorization import BucketAccess, VersionAccess, decide, decide_about
from accesscontrol.policy import Decision, Policy, PolicyKind, parse_policy
from accesscontrol.principal import Principal
from accesscontrol.public_access import ObjectOwnership
from accesscontrol.request_facts import NO_FACTS, RequestFacts

CHANGES_MAX = 4
VERSION = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do: in words, where, and as a statement to add where that is what to do."""

    where: str
    text: str
    statement: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision about a question, and what would have to change for a yes; `changes` is None where nothing would do."""

    principal: str
    action: str
    resource: str
    decision: Decision
    changes: tuple[Change, ...] | None = ()
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Render it for programs."""
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "allowed": self.decision.is_allowed,
            "outcome": str(self.decision.outcome),
            "reason": self.decision.reason,
            "matches": [str(match) for match in self.decision.trace],
            "smallest_change": None
            if self.changes is None
            else [
                {"where": change.where, "text": change.text}
                | ({} if change.statement is None else {"statement": dict(change.statement)})
                for change in self.changes
            ],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What of a bucket decides, to be changed in trials."""

    name: str
    owner_id: str
    policy: str | None
    acl: str | None
    object_ownership: str
    public_access_block: str | None
    tags: str | None
    is_abac_enabled: bool


@dataclass(frozen=True, slots=True)
class _Version:
    """What of a version decides, likewise."""

    is_delete_marker: bool
    owner_id: str
    acl: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with all that decides about it: of S3, or (`entity`, an ARN) of IAM and STS."""

    principal: Principal
    action: str
    bucket: BucketAccess | None
    key: str | None = None
    version: VersionAccess | None = None
    facts: RequestFacts = NO_FACTS
    stated: Mapping[str, str] = field(default_factory=dict)
    entity: str | None = None

    @property
    def resource(self) -> str:
        """The ARN that is asked about."""
        if self.entity is not None:
            return self.entity
        name = "*" if self.bucket is None else self.bucket.name
        return f"arn:aws:s3:::{name}" + ("" if self.key is None else f"/{self.key}")

    def decide(self) -> Decision:
        """Decide."""
        if self.entity is not None:
            read = read_arn(self.entity)
            return decide_about(
                self.principal,
                action=self.action,
                resource=self.entity,
                owner_account_id=(self.principal.account_id or "") if read is None else read.account_id,
                facts=self.facts,
                stated=self.stated,
            )
        return decide(
            self.principal,
            action=self.action,
            bucket=self.bucket,
            key=self.key,
            version=self.version,
            facts=self.facts,
            stated=self.stated,
        )


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
            bucket.tags,
            bucket.is_abac_enabled,
        )
    if version is not None:
        version = _Version(version.is_delete_marker, version.owner_id, version.acl, version.tags)
    return replace(question, bucket=bucket, version=version)


def _without_denials(decision: Decision) -> Iterable[_Step]:
    """Yield what takes away each denial that matched."""
    denials = [match for match in decision.trace if not match.is_allow]
    if any(match.source == "bucket policy" for match in denials):
        names = ", ".join(repr(match.name) for match in denials if match.source == "bucket policy")
        yield (
            Change("bucket policy", f"remove, or narrow by a condition, the denying statement {names}"),
            _drop_from_bucket,
        )
    others = [match for match in denials if match.source != "bucket policy"]
    if others:
        names = ", ".join(str(match) for match in others)
        yield Change("policies of the principal", f"remove, or narrow: {names}"), _drop_from_principal


def _drop_from_bucket(question: Question) -> Question:
    bucket = question.bucket
    assert isinstance(bucket, _Bucket)
    assert bucket.policy is not None
    document = json.loads(bucket.policy)
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]

    def denies(statement: Mapping[str, Any]) -> bool:
        alone = replace(bucket, policy=json.dumps({**document, "Statement": [statement]}))
        return any(not match.is_allow for match in replace(question, bucket=alone).decide().trace)

    kept = [statement for statement in listed if not denies(statement)]
    policy = json.dumps({**document, "Statement": kept}) if kept else None
    return replace(question, bucket=replace(bucket, policy=policy))


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
    if not principal.is_anonymous and not principal.is_root:
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
    if bucket is not None:
        named = {"Principal": "*" if principal.is_anonymous else {"AWS": _holder(principal)}, **statement}
        yield Change("bucket policy", "add this statement", named), lambda asked: _with_statement(asked, named)
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


def _holder(principal: Principal) -> str:
    """Name what a policy is attached to: the role of a session, the user, the account."""
    return principal.issuer_names[0] if principal.issuer_names else principal.arn


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
    document = {"Version": VERSION, "Statement": []} if bucket.policy is None else json.loads(bucket.policy)
    listed = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    policy = json.dumps({**document, "Statement": [*listed, statement]})
    return replace(question, bucket=_replaced(question, policy=policy))
