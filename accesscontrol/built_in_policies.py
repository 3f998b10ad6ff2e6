"""The managed policies that every account finds: `arn:aws:iam::aws:policy/…`. In our own words; the names are AWS's.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html. What other services than ours could do
is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class BuiltInPolicy:
    """A policy that is there from the start."""

    name: str
    description: str
    document: str
    path: str = "/"


def _policy(name: str, description: str, *statements: dict[str, Any]) -> BuiltInPolicy:
    listed = [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]
    return BuiltInPolicy(name, description, json.dumps({"Version": "2012-10-17", "Statement": listed}, indent=2))


_READ_S3 = ["s3:Get*", "s3:List*", "s3:Describe*", "s3:Head*"]
_READ_IAM = ["iam:Get*", "iam:List*", "iam:Generate*", "iam:Simulate*"]

BUILT_IN_POLICIES: Final = (
    _policy("AdministratorAccess", "Everything that the account may.", {"Action": "*"}),
    _policy("PowerUserAccess", "Everything but users, groups, roles and policies.", {"NotAction": ["iam:*"]}),
    _policy("ReadOnlyAccess", "Reading of everything.", {"Action": [*_READ_S3, *_READ_IAM, "sts:GetAccessKeyInfo"]}),
    _policy("AmazonS3FullAccess", "All of S3.", {"Action": "s3:*"}),
    _policy("AmazonS3ReadOnlyAccess", "Reading of buckets and objects.", {"Action": _READ_S3}),
    _policy("IAMFullAccess", "All of IAM.", {"Action": "iam:*"}),
    _policy("IAMReadOnlyAccess", "Reading of users, groups, roles and policies.", {"Action": _READ_IAM}),
    _policy(
        "IAMUserChangePassword",
        "Changing one's own password.",
        {"Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/*${aws:username}"},
        {"Action": "iam:GetAccountPasswordPolicy"},
    ),
)
