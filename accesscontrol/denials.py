"""The encoded message of a refusal: the whole decision, sealed, so that only who may decode it learns why.

A 403 says no more than AccessDenied: what a policy says is nobody's business who is refused by it. The message that comes
along holds the decision with everything that matched; DecodeAuthorizationMessage opens it for who is allowed to. Two
accounts may know: the resource's owner sees all, the account of whoever was refused what its own policies say.
https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html

A message is a Fernet token of deflated JSON. It lives MESSAGE_SECONDS.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from accesscontrol import secrets
from accesscontrol.errors import SecretUnreadable
from accesscontrol.policy import ContextValues, Decision, Outcome
from s3protocol import errors

PURPOSE = b"objstore authorization messages"
MESSAGE_SECONDS = 7 * 24 * 3600
HEADER = "x-amz-encoded-message"
_VALUE_LENGTH_MAX = 200
_CONDITIONS_LENGTH_MAX = 3_000
_HEADER_LENGTH_MAX = 2_048
_MESSAGE_LENGTH_MAX = 10_240
_DOCUMENT_BYTES_MAX = 131_072
# What only the account of the resource may know of: its own policies and lists.
_OWNERS_SOURCES = frozenset({"bucket policy", "trust policy", "access control list"})


class UnreadableMessage(Exception):
    """A message that was not made here, has expired, or is not for the account that asks."""


def access_denied(decision: Decision) -> errors.AccessDenied:
    """Return the error of a refusal, with its message as a member and (for HEAD, which has no body) as a header."""
    message = encode_decision(decision)
    if message is None:
        return errors.AccessDenied()
    headers = {HEADER: message} if len(message) <= _HEADER_LENGTH_MAX else {}
    return errors.AccessDenied(headers=headers, EncodedMessage=message)


def encode_decision(decision: Decision) -> str | None:
    """Seal a decision; None for one that asked nothing. Cost: some 60 µs."""
    request = decision.request
    if request is None:
        return None
    document = {
        "at": int(datetime.now(UTC).timestamp()),
        "owner": decision.owner_account_id,
        "account": request.caller.account_id,
        "principal": [request.caller.userid, request.caller.arn],
        "action": request.action,
        "resource": request.resource,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "matches": [[match.source, match.origin, match.name, match.is_allow] for match in decision.trace],
        "conditions": list(_conditions(request.context)),
    }
    compact = json.dumps(document, separators=(",", ":")).encode()
    return secrets.seal_bytes(zlib.compress(compact, 6), purpose=PURPOSE).decode()


def _conditions(context: ContextValues) -> Iterator[list[Any]]:
    """Yield condition keys with their values, shortened, until there is no room."""
    room = _CONDITIONS_LENGTH_MAX
    for key, values in context.items():
        shortened = [value[:_VALUE_LENGTH_MAX] for value in values]
        room -= len(key) + sum(map(len, shortened))
        if room < 0:
            return
        yield [key, shortened]


def decode_message(message: str, *, account_id: str, now: datetime) -> dict[str, Any]:
    """Open a message for an account, in the form in which AWS shows decisions. Raises UnreadableMessage."""
    if len(message) > _MESSAGE_LENGTH_MAX or not message.isascii():
        raise UnreadableMessage
    try:
        opened = secrets.unseal_bytes(message.encode(), purpose=PURPOSE)
    except SecretUnreadable:
        raise UnreadableMessage from None
    sealed = json.loads(zlib.decompressobj().decompress(opened, _DOCUMENT_BYTES_MAX))
    if account_id not in (sealed["owner"], sealed["account"]) or now.timestamp() - sealed["at"] > MESSAGE_SECONDS:
        raise UnreadableMessage
    return _shown(sealed, is_owner=account_id == sealed["owner"])


def _shown(sealed: dict[str, Any], *, is_owner: bool) -> dict[str, Any]:
    seen = [match for match in sealed["matches"] if is_owner or match[0] not in _OWNERS_SOURCES]
    is_whole = is_owner or len(seen) == len(sealed["matches"])
    return {
        "allowed": sealed["outcome"] == Outcome.ALLOWED,
        "explicitDeny": sealed["outcome"] == Outcome.EXPLICIT_DENY,
        "reason": sealed["reason"] if is_whole else "the account that owns the resource has a say in it",
        "matchedStatements": {
            "items": [
                {
                    "statementId": name,
                    "effect": "ALLOW" if is_allow else "DENY",
                    "sourcePolicyType": source,
                    "sourcePolicyId": origin,
                }
                for source, origin, name, is_allow in seen
            ]
        },
        "failures": {"items": []},
        "context": {
            "principal": {"id": sealed["principal"][0], "arn": sealed["principal"][1]},
            "action": sealed["action"],
            "resource": sealed["resource"],
            "conditions": {
                "items": [
                    {"key": key, "values": {"items": [{"value": value} for value in values]}}
                    for key, values in sealed["conditions"]
                ]
            },
        },
    }
