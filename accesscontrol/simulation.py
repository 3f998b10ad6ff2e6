"""What policies would decide: the policy engine asked about requests that nobody makes. Pure.

Beside the decision it says which statements matched and where they stand in their documents, and which condition keys
those statements ask for whose values were not given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accesscontrol.policy import (
    AccessRequest,
    ContextValues,
    Decision,
    Policy,
    PolicyKind,
    PrincipalPolicies,
    evaluate,
    parse_policy,
)

_VARIABLE = re.compile(r"\$\{\s*([A-Za-z0-9-]+:[^},*?$\s]+)")


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """A policy as it is simulated: what it is called, what kind it is of (`user`, `aws-managed`), its text."""

    name: str
    kind: str
    text: str

    def compiled(self, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
        """Compile it. Raises PolicyError."""
        return parse_policy(self.text, kind).called(self.name)


@dataclass(frozen=True, slots=True)
class SimulatedCaller:
    """Somebody who makes no request."""

    account_id: str | None
    arn: str
    canonical_id: str = ""
    userid: str = ""
    issuer_names: tuple[str, ...] = ()
    is_root: bool = False


@dataclass(frozen=True, slots=True)
class Simulation:
    """The policies, whose they are, whose the resources are, and what a request would say of itself."""

    caller: SimulatedCaller
    owner_account_id: str | None
    identity: Sequence[SourcePolicy]
    boundary: SourcePolicy | None
    resource_policy: SourcePolicy | None
    context: ContextValues

    def decide(self, action: str, resource: str) -> Decision:
        """Decide about an action on a resource."""
        return evaluate(
            AccessRequest(self.caller, action, resource, self.context),
            owner_account_id=self.owner_account_id,
            principal_policies=PrincipalPolicies(
                tuple(policy.compiled() for policy in self.identity),
                None if self.boundary is None else self.boundary.compiled(),
            ),
            resource_policy=self._compiled_resource_policy(),
            resource_source="resource policy",
        )

    def missing_keys(self, action: str, resource: str) -> list[str]:
        """List the condition keys that statements about the request ask for and that were not given, as they are spelled there."""
        policies = [policy.compiled() for policy in (*self.identity, *([self.boundary] if self.boundary else []))]
        resource_policy = self._compiled_resource_policy()
        if resource_policy is not None:
            policies.append(resource_policy)
        asked = {
            test.key
            for policy in policies
            for statement in policy.statements_about(action)
            if statement.is_about(resource, self.context)
            for test in statement.conditions
        }
        texts = [source.text for source in (*self.identity, self.boundary, self.resource_policy) if source is not None]
        spelled = _spelled_keys(texts)
        return sorted(spelled.get(key, key) for key in asked - self.context.keys())

    def _compiled_resource_policy(self) -> Policy | None:
        return None if self.resource_policy is None else self.resource_policy.compiled(PolicyKind.RESOURCE)


def context_keys(texts: Iterable[str]) -> list[str]:
    """List the condition keys that policies ask for, in conditions and variables. Raises PolicyError."""
    listed = list(texts)
    for text in listed:
        parse_policy(text, PolicyKind.IDENTITY)
    return sorted(_spelled_keys(listed).values())


def _spelled_keys(texts: Iterable[str]) -> dict[str, str]:
    """Return how policies spell the condition keys that they ask for, by normalized key."""
    keys: dict[str, str] = {}
    for text in texts:
        document = json.loads(text)
        statements = document["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            for tests in statement.get("Condition", {}).values():
                for key in tests:
                    keys.setdefault(key.lower(), key)
        for key in _VARIABLE.findall(text):
            keys.setdefault(key.lower(), key)
    return keys


def statement_positions(text: str) -> Mapping[str, tuple[tuple[int, int], tuple[int, int]]]:
    """Find where each statement of a document begins and ends, as lines and columns, by its Sid or number."""
    found: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}
    place = re.search(r'"Statement"\s*:\s*', text)
    if place is None:
        return found
    at, decoder = place.end(), json.JSONDecoder()
    if text[at : at + 1] == "[":
        at += 1
    number = 0
    while True:
        at = _skip(text, at)
        if text[at : at + 1] != "{":
            return found
        try:
            statement, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return found
        number += 1
        found[str(statement.get("Sid") or number)] = (_position(text, at), _position(text, end))
        at = end


def _skip(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] == ","):
        at += 1
    return at


def _position(text: str, at: int) -> tuple[int, int]:
    before = text[:at]
    return before.count("\n") + 1, at - before.rfind("\n")
