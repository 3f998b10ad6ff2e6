"""Which policies count as public."""

from __future__ import annotations

from typing import Any

import pytest

from accesscontrol.policy import is_public
from tests.unit.accesscontrol.cast import OTHER_ID, policy, statement


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": [OTHER_ID, "*"]}}, True),
        ({"Principal": {"AWS": OTHER_ID}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-1"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}}, True),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringEquals": {"aws:PrincipalArn": "${aws:userid}"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/32"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/0"]}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/7"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "2001::/16"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, True),
        ({"Condition": {"StringLike": {"aws:Referer": "http://example.com/*"}}}, True),
        ({"Condition": {"StringEquals": {"s3:ExistingObjectTag/a": "b"}}}, True),
        (
            {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::c"}, "Bool": {"aws:SecureTransport": "true"}}},
            False,
        ),
    ],
)
def test_a_statement_is_public_unless_it_is_tied_to_fixed_values(*, elements: dict[str, Any], expected: bool) -> None:
    assert is_public(policy(statement(**elements))) is expected


def test_one_public_statement_makes_the_policy_public() -> None:
    assert is_public(policy(statement(Principal={"AWS": OTHER_ID}), statement()))
