"""The smallest change: what is proposed allows what was refused, and nothing less does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from accesscontrol.explanation import Explanation, Question, explain
from accesscontrol.policy import PolicyKind, PrincipalPolicies, parse_policy
from accesscontrol.principal import ANONYMOUS, Principal

OWNER, OTHER = "111111111111", "222222222222"


@dataclass(frozen=True)
class Bucket:
    name: str = "b"
    owner_id: str = OWNER
    policy: str | None = None
    acl: str | None = None
    object_ownership: str = ""
    public_access_block: str | None = None
    account_public_access_block: str | None = None
    tags: str | None = None
    is_abac_enabled: bool = False


@dataclass(frozen=True)
class Version:
    is_delete_marker: bool = False
    owner_id: str = OWNER
    acl: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::b/*", **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*", **more}


def user(account_id: str = OWNER, **policies: Any) -> Principal:
    return Principal(account_id, "c", "d", 1, "alice", False, policies=PrincipalPolicies(**policies))


def root(account_id: str) -> Principal:
    return Principal(account_id, "c", "d", 1, "root", True)


def identity(*statements: dict[str, Any]) -> Any:
    return parse_policy(policy(*statements), PolicyKind.IDENTITY)


def ask(principal: Principal, bucket: Bucket | None = None, version: Version | None = None) -> Explanation:
    bucket = bucket or Bucket()
    return explain(Question(principal, "s3:GetObject", bucket, "k", version or Version()))


def places(explanation: Explanation) -> list[str]:
    assert not explanation.decision.is_allowed
    assert explanation.changes is not None
    return [change.where for change in explanation.changes]


def test_what_is_allowed_needs_no_change() -> None:
    explained = ask(root(OWNER))
    assert explained.decision.is_allowed
    assert explained.changes == ()


def test_a_user_of_the_account_needs_a_policy_of_its_own() -> None:
    explained = ask(user())
    assert places(explained) == ["identity policy"]
    assert explained.changes is not None
    assert explained.changes[0].statement == {
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/k",
    }


def test_another_accounts_root_needs_the_bucket_policy() -> None:
    assert places(ask(root(OTHER))) == ["bucket policy"]


def test_another_accounts_user_needs_both() -> None:
    assert sorted(places(ask(user(OTHER)))) == ["bucket policy", "identity policy"]


def test_another_accounts_user_with_a_policy_needs_the_buckets() -> None:
    assert places(ask(user(OTHER, identity=(identity(allow()),)))) == ["bucket policy"]


def test_nobody_needs_a_policy_for_everyone_and_no_block() -> None:
    assert places(ask(ANONYMOUS)) == ["bucket policy"]
    block = json.dumps({"RestrictPublicBuckets": True, "IgnorePublicAcls": True})
    assert sorted(places(ask(ANONYMOUS, Bucket(public_access_block=block)))) == ["bucket policy", "public access block"]


def test_a_denial_of_the_bucket_policy_is_named() -> None:
    bucket = Bucket(policy=policy(allow(Principal="*"), deny(Principal="*", Sid="NoOne")))
    explained = ask(root(OTHER), bucket)
    assert places(explained) == ["bucket policy"]
    assert explained.changes is not None
    assert "'NoOne'" in explained.changes[0].text


def test_a_denial_and_a_missing_allowance_are_both_told() -> None:
    bucket = Bucket(policy=policy(deny(Principal="*", Sid="NoOne")))
    assert places(ask(user(OTHER, identity=(identity(allow()),)), bucket)) == ["bucket policy", "bucket policy"]


def test_a_denial_of_ones_own_is_named() -> None:
    assert places(ask(user(identity=(identity(allow(), deny()),)))) == ["policies of the principal"]


def test_boundaries_and_sessions_must_allow_too() -> None:
    elsewhere = identity(allow("s3:PutObject"))
    assert places(ask(user(identity=(identity(allow()),), boundary=elsewhere))) == ["permissions boundary"]
    assert places(ask(user(identity=(identity(allow()),), session=()))) == ["session policy"]
    everything = ask(user(boundary=elsewhere, session=()))
    assert 1 <= len(places(everything)) <= 3


def test_an_object_of_another_account_needs_its_list() -> None:
    explained = ask(root(OWNER), version=Version(owner_id=OTHER))
    assert places(explained) == ["access control list of the object"]


@pytest.mark.parametrize("principal", [root(OTHER), user(), user(OTHER), ANONYMOUS])
def test_what_is_explained_can_be_told_to_programs(principal: Principal) -> None:
    document = json.loads(json.dumps(ask(principal).document()))
    assert document["allowed"] is False
    assert document["smallest_change"]


def test_enabling_abac_is_what_a_policy_lacks_that_asks_for_the_tags_of_the_bucket() -> None:
    own = identity(allow(Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}}))
    asked = user(identity=(own,))
    assert places(ask(asked, Bucket(tags='{"team": "blue"}'))) == ["bucket"]
    assert places(ask(asked, Bucket(tags='{"team": "red"}'))) == ["identity policy"]
    assert ask(asked, Bucket(tags='{"team": "blue"}', is_abac_enabled=True)).decision.is_allowed
