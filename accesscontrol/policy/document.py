"""Policy documents: JSON text to compiled statements, with AWS's complaints about what cannot be.

A document is compiled once and remembered by its text. Whatever is not understood is refused: a policy that says less
than its author believes is worse than an error.
Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from accesscontrol.policy.actions import OBJECT_ACTIONS, S3_ACTIONS
from accesscontrol.policy.condition_keys import is_known
from accesscontrol.policy.conditions import ConditionError, Test, parse_conditions
from accesscontrol.policy.patterns import Pattern, PatternError, compile_pattern
from accesscontrol.policy.principals import PrincipalError, PrincipalPattern, Reach, parse_principal
from accesscontrol.policy.request import AccessRequest, ContextValues

VERSION_WITH_VARIABLES = "2012-10-17"
VERSIONS = (VERSION_WITH_VARIABLES, "2008-10-17")
REMEMBERED_POLICIES_MAX = 4_096
REMEMBERED_ACTIONS_MAX = 1_000

_POLICY_MEMBERS = {"Version", "Id", "Statement"}
_STATEMENT_MEMBERS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")


class PolicyError(ValueError):
    """A document that is no policy; the message is for its author."""


class PolicyKind(StrEnum):
    """What a policy is attached to: a resource (it names principals), an identity (it does not), or a role.

    A role's trust policy names principals and no resource: that is the role.
    """

    RESOURCE = "resource"
    IDENTITY = "identity"
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class Statement:
    """One compiled statement. Its `name` is its Sid, or its number."""

    name: str
    is_allow: bool
    principal: PrincipalPattern | None
    excepts_principal: bool
    actions: tuple[Pattern, ...]
    excepts_actions: bool
    resources: tuple[Pattern, ...]
    excepts_resources: bool
    conditions: tuple[Test, ...]
    prefixes: tuple[str, ...] = ("",)
    """How every resource that the statement may be about begins."""

    def speaks_of(self, action: str) -> bool:
        """Say whether an action is among those of the statement."""
        return any(pattern.matches(action, {}) for pattern in self.actions) != self.excepts_actions

    def reach(self, request: AccessRequest) -> Reach:
        """Say how closely the statement speaks of the request's principal; an identity's own policy always does."""
        if self.principal is None:
            return Reach.PRINCIPAL
        if self.excepts_principal:
            return Reach.NOBODY if self.principal.excepts(request.caller) else Reach.EVERYONE
        return self.principal.reach(request.caller)

    def covers(self, request: AccessRequest) -> bool:
        """Say whether resource and conditions match; principal and action are asked before."""
        context = request.context
        if not self.is_about(request.resource, context):
            return False
        for test in self.conditions:  # noqa: SIM110  the hot loop of a decision: a generator costs more than the tests
            if not test.holds(context):
                return False
        return True

    def is_about(self, resource: str, context: ContextValues) -> bool:
        """Say whether a resource is among those of the statement."""
        for pattern in self.resources:
            if resource.startswith(pattern.fixed_prefix) and pattern.matches(resource, context):
                return not self.excepts_resources
        return self.excepts_resources


@dataclass(frozen=True, slots=True)
class Policy:
    """A compiled policy. Which statements speak of an action is found once for each action.

    `origin` is what the policy is called where it is one of several.
    """

    statements: tuple[Statement, ...]
    origin: str = field(default="", compare=False)
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict, compare=False, repr=False)

    def called(self, origin: str) -> Policy:
        """Return the policy under a name; what was found out about actions is shared."""
        return replace(self, origin=origin)

    def statements_about(self, action: str) -> tuple[Statement, ...]:
        """Return the statements that speak of an action."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.speaks_of(action))
            if len(self._by_action) < REMEMBERED_ACTIONS_MAX:
                self._by_action[action] = found
        return found


@lru_cache(maxsize=REMEMBERED_POLICIES_MAX)
def parse_policy(text: str, kind: PolicyKind = PolicyKind.RESOURCE, bucket: str | None = None) -> Policy:
    """Compile a policy. With a bucket, every resource must lie in it and every action be S3's. Raises PolicyError."""
    document = _read_json(text)
    unknown = document.keys() - _POLICY_MEMBERS
    if unknown:
        raise PolicyError(f"Unknown field {min(unknown)}")
    version = document.get("Version", VERSIONS[-1])
    if version not in VERSIONS:
        raise PolicyError("The policy must contain a valid version string")
    listed = document.get("Statement")
    statements = [listed] if isinstance(listed, dict) else listed
    if not isinstance(statements, list) or not statements:
        raise PolicyError("Missing required field Statement")
    parser = _StatementParser(kind, bucket, has_variables=version == VERSION_WITH_VARIABLES)
    compiled = tuple(parser.parse(statement, number) for number, statement in enumerate(statements, start=1))
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    if kind != PolicyKind.RESOURCE and len(set(sids)) != len(sids):  # S3 takes them, IAM does not
        raise PolicyError("Statement IDs (SID) in a single policy must be unique")
    return Policy(compiled)


def _read_json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates, parse_float=Decimal)
        if "\\u" in text:  # half of a surrogate pair is no text
            json.dumps(document, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError) as error:
        if isinstance(error, PolicyError):
            raise
        raise PolicyError("Policies must be valid JSON and the first byte must be '{'") from None
    if not isinstance(document, dict):
        raise PolicyError("Policies must be valid JSON and the first byte must be '{'")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise PolicyError("Duplicate field in the policy")
    return found


@dataclass(frozen=True, slots=True)
class _StatementParser:
    kind: PolicyKind
    bucket: str | None
    has_variables: bool

    def parse(self, element: Any, number: int) -> Statement:
        if not isinstance(element, dict):
            raise PolicyError("Missing required field Statement")
        unknown = element.keys() - _STATEMENT_MEMBERS
        if unknown:
            raise PolicyError(f"Unknown field {min(unknown)}")
        is_allow = _parse_effect(element)
        actions, excepts_actions = _one_of(element, "Action", "NotAction")
        if self.kind == PolicyKind.TRUST:
            if "Resource" in element or "NotResource" in element:
                raise PolicyError("Has prohibited field Resource")
            element = {**element, "Resource": "*"}
        resources, excepts_resources = _one_of(element, "Resource", "NotResource")
        principal, excepts_principal = self._principal(element, is_allow=is_allow)
        sid = element.get("Sid", str(number))
        if not isinstance(sid, str):
            raise PolicyError("Invalid statement id")
        try:
            patterns = tuple(self._resource(text) for text in _texts(resources, "Policy has invalid resource"))
            statement = Statement(
                name=sid or str(number),
                is_allow=is_allow,
                principal=principal,
                excepts_principal=excepts_principal,
                actions=tuple(self._action(text) for text in _texts(actions, "Policy has invalid action")),
                excepts_actions=excepts_actions,
                resources=patterns,
                excepts_resources=excepts_resources,
                prefixes=("",) if excepts_resources else tuple(pattern.fixed_prefix for pattern in patterns),
                conditions=parse_conditions(element.get("Condition", {}), has_variables=self.has_variables),
            )
        except ConditionError as error:
            raise PolicyError(str(error)) from None
        if self.bucket is not None:
            _check_fitting(statement, f"arn:aws:s3:::{self.bucket}")
        return statement

    def _principal(self, element: dict[str, Any], *, is_allow: bool) -> tuple[PrincipalPattern | None, bool]:
        if self.kind == PolicyKind.IDENTITY:
            if "Principal" in element or "NotPrincipal" in element:
                raise PolicyError("Policy document should not specify a principal.")
            return None, False
        named, is_exception = _one_of(element, "Principal", "NotPrincipal")
        if is_exception and is_allow:
            raise PolicyError("Allow with NotPrincipal is not allowed.")
        try:
            return parse_principal(named), is_exception
        except PrincipalError as error:
            raise PolicyError(str(error)) from None

    def _action(self, text: str) -> Pattern:
        if _ACTION.fullmatch(text) is None:
            raise PolicyError("Policy has invalid action")
        pattern = compile_pattern(text, has_variables=False, is_caseless=True)
        if self.bucket is not None and not any(pattern.matches(action, {}) for action in S3_ACTIONS):
            raise PolicyError("Policy has invalid action")
        return pattern

    def _resource(self, text: str) -> Pattern:
        try:
            pattern = compile_pattern(text, has_variables=self.has_variables)
        except PatternError:
            raise PolicyError("Policy has invalid resource") from None
        if text != "*" and not text.startswith("arn:"):
            raise PolicyError("Policy has invalid resource")
        if self.bucket is not None and text != "*" and not _may_lie_in(pattern, f"arn:aws:s3:::{self.bucket}"):
            raise PolicyError("Policy has invalid resource")
        return pattern


def _check_fitting(statement: Statement, bucket_arn: str) -> None:
    """Raise PolicyError for a statement of a bucket policy that asks for no key there is, or that never matches.

    An action on the bucket needs the bucket among the resources. S3 refuses actions on objects without one, too; the
    public conformance suite wants them taken.
    """
    if not all(is_known(test.key) for test in statement.conditions):
        raise PolicyError("Policy has an invalid condition key")
    if statement.excepts_actions or statement.excepts_resources:
        return
    has_bucket = any(
        bucket_arn.startswith(pattern.fixed_prefix) if pattern.has_wildcards else pattern.text == bucket_arn
        for pattern in statement.resources
    )
    for pattern in () if has_bucket else statement.actions:
        if not any(pattern.matches(action, {}) for action in OBJECT_ACTIONS):
            raise PolicyError("Action does not apply to any resource(s) in statement")


def _may_lie_in(pattern: Pattern, bucket_arn: str) -> bool:
    """Say whether a pattern can match the bucket or something in it, as far as its fixed beginning tells."""
    begins, inside = pattern.fixed_prefix, f"{bucket_arn}/"
    if not pattern.has_wildcards:
        return begins == bucket_arn or begins.startswith(inside)
    return inside.startswith(begins) or begins.startswith(inside)


def _parse_effect(element: dict[str, Any]) -> bool:
    if "Effect" not in element:
        raise PolicyError("Missing required field Effect")
    if element["Effect"] not in ("Allow", "Deny"):
        raise PolicyError(f"Invalid effect: {element['Effect']}")
    return bool(element["Effect"] == "Allow")


def _one_of(element: dict[str, Any], name: str, exception: str) -> tuple[Any, bool]:
    """Return the element that is there of the two, and whether it is the exception."""
    if name in element and exception in element:
        raise PolicyError(f"Statement must not contain both {name} and {exception}")
    if exception in element:
        return element[exception], True
    if name not in element:
        raise PolicyError(f"Missing required field {name}")
    return element[name], False


def _texts(value: Any, complaint: str) -> Iterable[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise PolicyError(complaint)
    return texts
