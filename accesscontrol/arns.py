"""The ARNs of IAM's entities, written and read. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BUILT_IN_ACCOUNT = "aws"
_ARN = re.compile(r"arn:aws:iam::([^:/*?\s]*):(user|group|role|policy|oidc-provider)(/(?:[^*?\s]*/)?)([^/*?\s]+)")


@dataclass(frozen=True, slots=True)
class EntityArn:
    """An ARN taken apart: account, kind (`user`), path with its slashes, name."""

    account_id: str
    kind: str
    path: str
    name: str


def entity_arn(account_id: str | None, kind: str, path: str, name: str) -> str:
    """Write an entity's ARN; without an account, of one that is built in."""
    return f"arn:aws:iam::{account_id or BUILT_IN_ACCOUNT}:{kind}{path}{name}"


def account_arn(account_id: str) -> str:
    """Write the ARN of an account's root user."""
    return f"arn:aws:iam::{account_id}:root"


def provider_arn(account_id: str, url: str) -> str:
    """Write the ARN of an identity provider; its scheme is no part of it."""
    return f"arn:aws:iam::{account_id}:oidc-provider/{url.removeprefix('http://')}"


def read_arn(text: str) -> EntityArn | None:
    """Take an entity's ARN apart; None for what is none."""
    found = _ARN.fullmatch(text)
    return None if found is None else EntityArn(found[1], found[2], found[3], found[4])
