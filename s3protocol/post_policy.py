"""The policy of a browser's upload: what its author lets the holder of a form send. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html. Every field of the form must be
covered by a condition, but for those that only prove who signed and those that say to be ignored. Names are compared
without regard to case, values exactly. Not here: the signature over the policy (`signatures.post`).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from s3protocol import errors, timestamps

EXEMPT_FIELDS: Final = frozenset({"awsaccesskeyid", "signature", "policy", "x-amz-signature", "file"})
EXEMPT_PREFIXES: Final = (
    "x-ignore-",
    "x-amz-checksum-",  # the author of a policy can't know the file; a checksum can refuse it, nothing else
)

_SIZE_CONDITION: Final = "content-length-range"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """One field and the value that it must equal or start with; `text` is the condition as it was written."""

    field: str
    value: str
    is_prefix: bool
    text: str

    def holds(self, found: str) -> bool:
        """Say whether a field's value will do. A list of content types must do item by item."""
        if not self.is_prefix:
            return found == self.value
        items = found.split(",") if self.field == "content-type" and "," in found else [found]
        return all(item.strip().startswith(self.value) for item in items)


@dataclass(frozen=True, slots=True)
class PostPolicy:
    """A policy, read. Sizes are of the file, in bytes; without such a condition any size will do."""

    expires_at: datetime
    conditions: tuple[Condition, ...]
    size_bytes_min: int = 0
    size_bytes_max: int | None = None


def parse_policy(encoded: str) -> PostPolicy:
    """Read the policy field. Raises InvalidPolicyDocument."""
    document = _load(encoded)
    expiration, stated = document.get("expiration"), document.get("conditions")
    if not isinstance(expiration, str):
        _refuse("Policy missing expiration.")
    if not isinstance(stated, list):
        _refuse("Policy missing conditions.")
    try:
        expires_at = timestamps.parse_iso8601(expiration)
    except ValueError:
        _refuse(f"Invalid 'expiration' value: '{expiration}'")
    if "T" not in expiration:
        _refuse(f"Invalid 'expiration' value: '{expiration}'")
    conditions: list[Condition] = []
    size_bytes_min, size_bytes_max = 0, None
    for one in stated:
        if isinstance(one, list) and one and str(one[0]).lower() == _SIZE_CONDITION:
            size_bytes_min, size_bytes_max = _size_range(one)
        else:
            conditions.append(_condition(one))
    return PostPolicy(expires_at, tuple(conditions), size_bytes_min, size_bytes_max)


def _load(encoded: str) -> dict[str, Any]:
    try:
        text = base64.b64decode("".join(encoded.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        _refuse("Policy is not Base64 of UTF-8.")
    # S3 has an escape that JSON lacks: \$ for a dollar sign that begins no field's name.
    text = _ESCAPE.sub(lambda match: "$" if match[1] == "$" else match[0], text)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        _refuse("Invalid JSON.")
    if not isinstance(document, dict):
        _refuse("Invalid JSON: expecting an object.")
    return document


def _size_range(stated: list[Any]) -> tuple[int, int]:
    if len(stated) != 3:
        _refuse("content-length-range requires exactly two arguments.")
    try:
        lowest, highest = (int(bound) for bound in stated[1:] if not isinstance(bound, bool))
    except (TypeError, ValueError, OverflowError):
        _refuse("content-length-range takes two numbers.")
    if not 0 <= lowest <= highest:
        _refuse("content-length-range takes two numbers, the smaller first.")
    return lowest, highest


def _condition(stated: Any) -> Condition:
    text = json.dumps(stated)
    if isinstance(stated, dict):
        if len(stated) != 1:
            _refuse("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
        ((name, value),) = stated.items()
        operator = "eq"
    elif isinstance(stated, list) and len(stated) == 3 and all(isinstance(part, str) for part in stated):
        operator, name, value = stated
        if not name.startswith("$"):
            _refuse(f"Invalid Condition: the field's name lacks its dollar sign: {text}")
        operator, name = operator.lower(), name[1:]
    else:
        _refuse(f"Invalid Condition: {text}")
    if operator not in {"eq", "starts-with"} or not name or not isinstance(value, str):
        _refuse(f"Invalid Condition: {text}")
    return Condition(name.lower(), value, operator == "starts-with", text)


def check_policy(policy: PostPolicy, fields: Mapping[str, str], *, now: datetime) -> None:
    """Raise AccessDenied where a form is not what its policy allows; the file's size is for its reader to check.

    `fields` has lower-case names, and the bucket among them: the one addressed, whatever the form says.
    """
    if now >= policy.expires_at:
        raise errors.AccessDenied("Invalid according to Policy: Policy expired.")
    for condition in policy.conditions:
        if not condition.holds(fields.get(condition.field, "")):
            raise errors.AccessDenied(f"Invalid according to Policy: Policy Condition failed: {condition.text}")
    covered = EXEMPT_FIELDS | {condition.field for condition in policy.conditions}
    extra = sorted(name for name in fields if name not in covered and not name.startswith(EXEMPT_PREFIXES))
    if extra:
        raise errors.AccessDenied(f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")


def _refuse(problem: str) -> NoReturn:
    raise errors.InvalidPolicyDocument(f"Invalid Policy: {problem}") from None
