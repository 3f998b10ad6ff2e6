"""Why a role can't be assumed, and the smallest change: its trust policy and the principal's own, within an account and across."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from accesscontrol.authorization import RoleAccess
from accesscontrol.explanation import Explanation, Question, explain
from accesscontrol.policy import PolicyKind, PrincipalPolicies, parse_policy
from accesscontrol.principal import ANONYMOUS, Principal, Session, SessionKind, service_principal

OWNER, OTHER = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{OWNER}:role/ops/deployer"
PROVIDER = f"arn:aws:iam::{OWNER}:oidc-provider/tokens.example"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(principal: Any, effect: str = "Allow", action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, **more}


def user(account_id: str = OWNER, *statements: dict[str, Any], **policies: Any) -> Principal:
    identity = (parse_policy(policy(*statements), PolicyKind.IDENTITY),) if statements else ()
    return Principal(account_id, "c", "d", 1, "alice", False, policies=PrincipalPolicies(identity, **policies))


def own(effect: str = "Allow", resource: str = ROLE) -> dict[str, Any]:
    return {"Effect": effect, "Action": "sts:AssumeRole", "Resource": resource}


def ask(principal: Principal, *trust: dict[str, Any], action: str = "sts:AssumeRole", **stated: str) -> Explanation:
    document = policy(*(trust or [trusting({"Service": "nobody.amazonaws.com"})]))
    role = RoleAccess(ROLE, OWNER, document, {"team": "blue"})
    return explain(Question(principal, action, None, role=role, stated=stated))


def places(explanation: Explanation) -> list[str]:
    assert not explanation.decision.is_allowed
    assert explanation.changes is not None
    return [change.where for change in explanation.changes]


ALICE = {"AWS": f"arn:aws:iam::{OWNER}:user/alice"}
ACCOUNT = {"AWS": f"arn:aws:iam::{OWNER}:root"}
OTHERS = {"AWS": f"arn:aws:iam::{OTHER}:root"}


def test_a_user_of_the_account_needs_to_be_named_by_the_trust_policy() -> None:
    assert ask(user(), trusting(ALICE)).decision.is_allowed
    for asked in (ask(user()), ask(user(OWNER, own()))):  # a policy of its own opens nothing
        assert places(asked) == ["trust policy"]
        assert asked.changes is not None
        assert asked.changes[0].statement == trusting(ALICE)
    assert "does not allow" in ask(user(OWNER, own())).decision.reason


def test_where_the_account_is_named_its_users_need_a_policy() -> None:
    asked = ask(user(), trusting(ACCOUNT))
    assert places(asked) == ["identity policy"]
    assert asked.changes is not None
    assert asked.changes[0].statement == own()
    assert ask(user(OWNER, own()), trusting(ACCOUNT)).decision.is_allowed


def test_across_accounts_both_sides_have_to_say_yes() -> None:
    assert sorted(places(ask(user(OTHER)))) == ["identity policy", "trust policy"]
    assert places(ask(user(OTHER), trusting(OTHERS))) == ["identity policy"]
    assert places(ask(user(OTHER, own()))) == ["trust policy"]
    assert ask(user(OTHER, own()), trusting(OTHERS)).decision.is_allowed


def test_denials_of_either_side_are_named() -> None:
    denying = trusting("*", "Deny", Sid="NotNow")
    asked = ask(user(), trusting(ALICE), denying)
    assert places(asked) == ["trust policy"]
    assert asked.changes is not None
    assert "'NotNow'" in asked.changes[0].text
    assert places(ask(user(), denying)) == ["trust policy", "trust policy"]
    assert places(ask(user(OWNER, own("Deny")), trusting(ALICE))) == ["policies of the principal"]


def test_boundaries_count_where_the_account_is_named() -> None:
    boundary = parse_policy(policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}), PolicyKind.IDENTITY)
    assert places(ask(user(OWNER, own(), boundary=boundary), trusting(ACCOUNT))) == ["permissions boundary"]


def test_conditions_see_what_the_question_tells_and_the_roles_tags() -> None:
    named = trusting(ALICE, Condition={"StringEquals": {"sts:ExternalId": "x", "aws:ResourceTag/team": "blue"}})
    assert ask(user(), named, **{"sts:ExternalId": "x"}).decision.is_allowed
    assert not ask(user(), named, **{"sts:ExternalId": "y"}).decision.is_allowed
    assert not ask(user(), named).decision.is_allowed


def test_roles_chain_services_and_providers_are_named_as_what_they_are() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    worker = f"arn:aws:iam::{OWNER}:role/worker"
    chained = replace(
        user(), user_name="worker", session=Session(SessionKind.ROLE, "s", at, at, worker, "AROAWORKERWORKER")
    )
    for principal, name, action in (
        (chained, {"AWS": worker}, "sts:AssumeRole"),
        (service_principal("s3.amazonaws.com"), {"Service": "s3.amazonaws.com"}, "sts:AssumeRole"),
        (replace(ANONYMOUS, federated_arn=PROVIDER), {"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity"),
    ):
        asked = ask(principal, action=action)
        assert places(asked) == ["trust policy"]
        assert asked.changes is not None
        assert asked.changes[0].statement == trusting(name, action=action)
        assert ask(principal, trusting(name, action=action), action=action).decision.is_allowed


@pytest.mark.parametrize(
    ("principal", "reason"),
    [
        (Principal(OWNER, "c", "d", 1, "root", True), "root users of accounts assume no roles"),
        (ANONYMOUS, "nobody assumes a role without credentials"),
    ],
)
def test_nothing_lets_in_root_users_and_nobody(principal: Principal, reason: str) -> None:
    asked = ask(principal, trusting("*"))
    assert (asked.decision.is_allowed, asked.decision.reason, asked.changes) == (False, reason, None)
