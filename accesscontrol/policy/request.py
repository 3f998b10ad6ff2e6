"""The request that a decision is about: principal, action, resource, and the values of condition keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accesscontrol.policy.principals import Caller

ContextValues = Mapping[str, tuple[str, ...]]
"""Condition keys in their normal form with their values; a key that is absent has no value in the request."""


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What somebody wants to do. `resource` is an ARN, `context` holds normalized keys."""

    caller: Caller
    action: str
    resource: str
    context: ContextValues


def normalized_key(key: str) -> str:
    """Write a condition key in its normal form: it is caseless, and so is the tag's key that may follow a slash in it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    return key.lower()
