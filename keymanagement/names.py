"""Names of keys, and the references by which clients know them. Pure.

A reference is a name, `alias/name` or an ARN of either, as AWS's KMS takes them. One namespace serves all accounts, so
the region and the account inside an ARN are not looked at.
"""

from __future__ import annotations

import re

from keymanagement.errors import KeyNotFound

SSE_S3_KEY = "objstore-s3"
"""Wraps the data keys of SSE-S3; no client can name it."""

DEFAULT_KMS_KEY = "objstore-kms"
"""Wraps the data keys of SSE-KMS where a client names no key."""

DEFAULT_KMS_ALIAS = "alias/aws/s3"

BUILT_IN_KEYS = frozenset({SSE_S3_KEY, DEFAULT_KMS_KEY})
"""Made when they are first needed."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_REFERENCE = re.compile(r"(?:arn:aws[a-z-]*:kms:[^:]*:[^:]*:(?=key/|alias/))?(?:key/|alias/)?(?P<name>[^:]+)")


def is_valid_key_name(name: str) -> bool:
    """Say whether a new key may have this name."""
    return _NAME.fullmatch(name) is not None


def is_arn(reference: str) -> bool:
    """Say whether a reference is an ARN of a key or an alias."""
    return reference.startswith("arn:aws") and _REFERENCE.fullmatch(reference) is not None


def parse_key_reference(reference: str) -> str:
    """Return the name of the key that a client means. Raises KeyNotFound for what can be none, or is not for clients."""
    match = _REFERENCE.fullmatch(reference)
    name = match["name"] if match else ""
    if name == DEFAULT_KMS_ALIAS.removeprefix("alias/"):
        return DEFAULT_KMS_KEY
    if not is_valid_key_name(name) or name == SSE_S3_KEY:
        raise KeyNotFound(reference)
    return name


def key_arn(name: str, region: str) -> str:
    """Render a key's ARN."""
    return f"arn:aws:kms:{region}:000000000000:key/{name}"
