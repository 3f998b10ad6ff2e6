"""Check policy documents before they are stored: what is stored compiles, and is not larger than IAM allows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from accesscontrol.policy import Policy, PolicyError, PolicyKind, parse_policy
from s3protocol.query import errors

# Characters but for white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_SIZE_MAX = {"user": 2_048, "group": 5_120, "role": 10_240}
MANAGED_SIZE_MAX = 6_144
TRUST_SIZE_MAX = 4_096
ARN_COLONS = 5
_STATEMENT_ID = re.compile(r"[0-9A-Za-z]*")


def check_identity_document(document: str) -> None:
    """Raise MalformedPolicyDocument for what is no policy of an identity."""
    _compile(document, PolicyKind.IDENTITY)


def check_managed_document(document: str) -> None:
    """Raise MalformedPolicyDocument, LimitExceeded for what can't be a version of a managed policy."""
    if size_of(document) > MANAGED_SIZE_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for PolicySize: {MANAGED_SIZE_MAX}")
    _compile(document, PolicyKind.IDENTITY)


def check_trust_document(document: str) -> None:
    """Raise MalformedPolicyDocument, LimitExceeded for what can't be a role's trust policy."""
    if size_of(document) > TRUST_SIZE_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE_MAX}")
    policy = _compile(document, PolicyKind.TRUST)
    actions = (pattern.text for statement in policy.statements for pattern in statement.actions)
    if not all(action == "*" or action.lower().startswith("sts:") for action in actions):
        raise errors.MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")


def check_inline_sizes(documents: Sequence[str], kind: str, name: str) -> None:
    """Raise LimitExceeded where the inline policies of a holder are too large together."""
    limit = INLINE_SIZE_MAX[kind]
    if sum(map(size_of, documents)) > limit:
        raise errors.LimitExceeded(f"Maximum policy size of {limit} bytes exceeded for {kind} {name}")


def size_of(document: str) -> int:
    """Count characters but for white space."""
    return sum(not character.isspace() for character in document)


def _compile(document: str, kind: PolicyKind) -> Policy:
    """Compile a document. Raises MalformedPolicyDocument for what does not compile, and for what IAM takes amiss besides."""
    try:
        policy = parse_policy(document, kind)
    except PolicyError as problem:
        raise errors.MalformedPolicyDocument(str(problem)) from None
    for statement in policy.statements:
        if _STATEMENT_ID.fullmatch(statement.name) is None:
            raise errors.MalformedPolicyDocument("Statement IDs (SID) must be alpha-numeric.")
        for pattern in statement.resources:
            if "*" not in pattern.text and pattern.text.count(":") < ARN_COLONS:
                raise errors.MalformedPolicyDocument(f'Resource {pattern.text} must be in ARN format or "*".')
    return policy
