"""What a decision costs in processor time: `python -m benchmarks.decision` (no server needed)."""

from __future__ import annotations

import json
import os
import time
import timeit
from dataclasses import dataclass

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "objstore_project.settings.testing")

import django

django.setup()

from accesscontrol.authorization import decide  # noqa: E402  after the set-up
from accesscontrol.policy import NO_POLICIES, PolicyKind, PrincipalPolicies, parse_policy  # noqa: E402  after the set-up
from accesscontrol.principal import Principal  # noqa: E402  after the set-up
from accesscontrol.request_facts import RequestFacts  # noqa: E402  after the set-up

POLICIES, STATEMENTS = 20, 10
ACCOUNT_ID = "111122223333"
FACTS = RequestFacts(headers={"user-agent": "benchmark"}, source_ip="192.0.2.1")


@dataclass(frozen=True)
class Bucket:
    """The bucket that the last policy allows to be read."""

    name: str = f"bucket-{POLICIES - 1}-5"
    owner_id: str = ACCOUNT_ID
    policy: str | None = None
    acl: str | None = None
    object_ownership: str = "BucketOwnerEnforced"
    public_access_block: str | None = None
    account_public_access_block: str | None = None
    tags: str | None = None
    is_abac_enabled: bool = False


def statement(policy: int, number: int) -> dict[str, object]:
    """Return one of five kinds of statements, all about the action that is asked."""
    kinds: list[dict[str, object]] = [
        {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::bucket-{policy}-{number}/*"},
        {"Action": ["s3:Get*", "s3:List*"], "Resource": [f"arn:aws:s3:::data-{policy}/{number}/*"]},
        {"Action": "s3:*", "Resource": f"arn:aws:s3:::home/${{aws:username}}/{policy}/{number}/*"},
        {
            "Effect": "Deny",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::*",
            "Condition": {
                "StringNotEquals": {"aws:PrincipalTag/team": "a"},
                "IpAddress": {"aws:SourceIp": "10.0.0.0/8"},
            },
        },
        {"Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": f"{policy}-{number}*"}}},
    ]
    return {"Effect": "Allow", **kinds[number % len(kinds)]}


def cost_us(principal: Principal, rounds: int) -> float:
    """Return the processor time of a decision in microseconds, the best of nine rounds."""
    decision = decide(principal, action="s3:GetObject", bucket=Bucket(), key="k", facts=FACTS)
    assert decision.is_allowed
    best = min(
        timeit.repeat(
            lambda: decide(principal, action="s3:GetObject", bucket=Bucket(), key="k", facts=FACTS),
            number=rounds,
            repeat=9,
            timer=time.process_time,
        )
    )
    return best / rounds * 1e6


def main() -> None:
    """Print what a decision costs."""
    texts = [
        json.dumps({"Version": "2012-10-17", "Statement": [statement(policy, number) for number in range(STATEMENTS)]})
        for policy in range(POLICIES)
    ]
    own = tuple(parse_policy(text, PolicyKind.IDENTITY).called(f"p{number}") for number, text in enumerate(texts))
    user = Principal(ACCOUNT_ID, "", "", 1, "alice", False, "AK", PrincipalPolicies(own), tags={"team": "a"})
    root = Principal(ACCOUNT_ID, "", "", 1, "root", True, "AK", NO_POLICIES)
    print(f"a user with {POLICIES} policies of {STATEMENTS} statements: {cost_us(user, 300):7.1f} µs")
    print(f"the root user on its own bucket:                 {cost_us(root, 10_000):7.1f} µs")


if __name__ == "__main__":
    main()
