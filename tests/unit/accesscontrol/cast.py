"""Principals and requests for tests of the policy engine."""

from __future__ import annotations

import json
from typing import Any

from accesscontrol.policy import AccessRequest, Decision, Policy, PolicyKind, evaluate, normalized_key, parse_policy
from accesscontrol.principal import ANONYMOUS, Principal

OWNER_ID, OTHER_ID = "111122223333", "444455556666"


def principal(account_id: str = OWNER_ID, name: str = "root") -> Principal:
    return Principal(account_id, account_id[0] * 64, account_id, 7, name, name == "root")


ROOT = principal()
ALICE = principal(name="alice")
STRANGER = principal(OTHER_ID)
STRANGE_USER = principal(OTHER_ID, "mallory")
EVERYBODY = [ROOT, ALICE, STRANGER, STRANGE_USER, ANONYMOUS]


def statement(**elements: Any) -> dict[str, Any]:
    defaults = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
    if "NotPrincipal" not in elements and elements.pop("kind", "resource") == "resource":
        defaults["Principal"] = "*"
    for name in ("Action", "Resource"):
        if f"Not{name}" in elements:
            del defaults[name]
    return {**defaults, **elements}


def text(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    return parse_policy(text(*statements, version=version), PolicyKind.RESOURCE, "b")


def identity(**elements: Any) -> Policy:
    return parse_policy(text(statement(kind="identity", **elements)), PolicyKind.IDENTITY)


def request(
    caller: Principal, action: str = "s3:GetObject", resource: str = "arn:aws:s3:::b/k", **context: Any
) -> AccessRequest:
    values = {
        normalized_key(key.replace("__", ":")): tuple(value) if isinstance(value, list) else (value,)
        for key, value in context.items()
    }
    return AccessRequest(caller, action, resource, values)


def decided(asked: AccessRequest, *statements: dict[str, Any], **more: Any) -> Decision:
    resource = policy(*statements) if statements else None
    return evaluate(asked, owner_account_id=OWNER_ID, resource_policy=resource, **more)
