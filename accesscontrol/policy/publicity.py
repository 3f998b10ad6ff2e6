"""Is a policy public? Amazon S3's definition: it allows something to everyone, and no condition ties that to fixed values.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html, "The meaning of public"
"""

from __future__ import annotations

import ipaddress

from accesscontrol.policy.conditions import Quantifier, Test
from accesscontrol.policy.document import Policy, Statement

_FIXING_KEYS = frozenset(
    {
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:userid",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:vpcsourceip",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_FIXING_OPERATORS = frozenset({"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"})
_WIDEST_PREFIX_LENGTHS = {4: 8, 6: 32}


def is_public(policy: Policy) -> bool:
    """Say whether a bucket policy counts as public."""
    return any(_is_public(statement) for statement in policy.statements)


def _is_public(statement: Statement) -> bool:
    principal = statement.principal
    if not statement.is_allow or principal is None or not (principal.is_everyone or statement.excepts_principal):
        return False
    return not any(_fixes(test) for test in statement.conditions)


def _fixes(test: Test) -> bool:
    """Say whether a condition narrows everyone down to fixed values."""
    if test.is_optional or test.quantifier == Quantifier.ALL:
        return False
    if test.operator == "IpAddress" and test.key == "aws:sourceip":
        return all(_is_narrow(value) for value in test.values)
    if test.operator not in _FIXING_OPERATORS or test.key not in _FIXING_KEYS:
        return False
    return not any(sign in value for value in test.values for sign in ("*", "?", "${"))


def _is_narrow(network_text: str) -> bool:
    network = ipaddress.ip_network(network_text, strict=False)
    return network.prefixlen >= _WIDEST_PREFIX_LENGTHS[network.version]
