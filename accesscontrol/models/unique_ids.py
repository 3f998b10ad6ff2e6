"""The unique ids of IAM's entities: a prefix that says what it is, and 17 random characters. Never used again.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
"""

from __future__ import annotations

import secrets as random_secrets
import string

_ALPHABET = string.ascii_uppercase + "234567"


def new_unique_id(prefix: str) -> str:
    """Draw an id of 21 characters."""
    return prefix + "".join(random_secrets.choice(_ALPHABET) for _ in range(17))


def new_user_unique_id() -> str:
    """Draw a user's id."""
    return new_unique_id("AIDA")


def new_group_unique_id() -> str:
    """Draw a group's id."""
    return new_unique_id("AGPA")


def new_role_unique_id() -> str:
    """Draw a role's id."""
    return new_unique_id("AROA")


def new_policy_unique_id() -> str:
    """Draw a managed policy's id."""
    return new_unique_id("ANPA")
