"""Decisions about buckets and versions: where policies, lists, ownership and blocks meet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from accesscontrol.authorization import decide
from accesscontrol.policy import Outcome, PrincipalPolicies
from accesscontrol.principal import ANONYMOUS, Principal
from accesscontrol.public_access import PublicAccessBlock
from tests.unit.accesscontrol.cast import ALICE, OTHER_ID, OWNER_ID, ROOT, STRANGER, identity, statement, text

PUBLIC_READ = json.dumps([["AllUsers", "READ"], [OWNER_ID, "FULL_CONTROL"]])


@dataclass(frozen=True, slots=True)
class Bucket:
    policy: str | None = None
    acl: str | None = None
    object_ownership: str = ""
    public_access_block: str | None = None
    account_public_access_block: str | None = None
    tags: str | None = None
    is_abac_enabled: bool = False
    name: str = "b"
    owner_id: str = OWNER_ID


@dataclass(frozen=True, slots=True)
class Version:
    owner_id: str = OWNER_ID
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    is_delete_marker: bool = False


def block(**switches: bool) -> str:
    return json.dumps(PublicAccessBlock(**switches).document())


def may(principal: Principal, action: str, bucket: Bucket, version: Version | None = None) -> bool:
    return decide(principal, action=action, bucket=bucket, key="k", version=version).is_allowed


FOREIGN = Version(OTHER_ID)


def test_a_private_bucket_is_its_owner_s_alone() -> None:
    for principal, is_allowed in [(ROOT, True), (ALICE, False), (STRANGER, False), (ANONYMOUS, False)]:
        assert may(principal, "s3:GetObject", Bucket(), Version()) is is_allowed


def test_what_another_account_wrote_is_that_account_s() -> None:
    assert may(STRANGER, "s3:GetObject", Bucket(), FOREIGN)
    assert may(STRANGER, "s3:PutObjectAcl", Bucket(), FOREIGN)
    assert not may(ROOT, "s3:GetObject", Bucket(), FOREIGN)
    assert not may(ROOT, "s3:GetObjectAcl", Bucket(), FOREIGN)


def test_the_bucket_s_owner_may_delete_and_overwrite_what_others_own() -> None:
    assert may(ROOT, "s3:DeleteObject", Bucket(), FOREIGN)
    assert may(ROOT, "s3:DeleteObjectVersion", Bucket(), FOREIGN)
    assert not may(STRANGER, "s3:DeleteObject", Bucket(), FOREIGN)


def test_the_bucket_policy_shares_only_what_the_bucket_s_owner_owns() -> None:
    shared = Bucket(text(statement()))
    assert may(ANONYMOUS, "s3:GetObject", shared, Version())
    assert not may(ANONYMOUS, "s3:GetObject", shared, FOREIGN)
    assert may(ANONYMOUS, "s3:GetObject", Bucket(shared.policy, object_ownership="BucketOwnerEnforced"), FOREIGN)


def test_the_bucket_policy_denies_whoever_owns_the_object() -> None:
    closed = Bucket(text(statement(Effect="Deny")))
    assert not may(STRANGER, "s3:GetObject", closed, FOREIGN)


def test_enforced_ownership_turns_lists_off() -> None:
    shared = Version(acl=PUBLIC_READ)
    assert may(ANONYMOUS, "s3:GetObject", Bucket(), shared)
    assert not may(ANONYMOUS, "s3:GetObject", Bucket(object_ownership="BucketOwnerEnforced"), shared)
    assert not may(ANONYMOUS, "s3:ListBucket", Bucket(acl=PUBLIC_READ, object_ownership="BucketOwnerEnforced"))


def test_the_list_of_the_bucket_shares_no_object_and_that_of_the_object_no_bucket() -> None:
    assert may(ANONYMOUS, "s3:ListBucket", Bucket(acl=PUBLIC_READ))
    assert not may(ANONYMOUS, "s3:GetObject", Bucket(acl=PUBLIC_READ), Version())
    assert not may(ANONYMOUS, "s3:ListBucket", Bucket(), Version(acl=PUBLIC_READ))


def test_a_block_may_ignore_public_lists() -> None:
    ignoring = block(ignores_public_acls=True)
    assert not may(ANONYMOUS, "s3:ListBucket", Bucket(acl=PUBLIC_READ, public_access_block=ignoring))
    assert not may(ANONYMOUS, "s3:GetObject", Bucket(public_access_block=ignoring), Version(acl=PUBLIC_READ))
    assert may(
        STRANGER, "s3:GetObject", Bucket(public_access_block=ignoring), Version(acl=json.dumps([[OTHER_ID, "READ"]]))
    )


def test_a_block_may_restrict_public_policies_to_the_owner_s_account() -> None:
    restricting = block(restricts_public_buckets=True)
    public = Bucket(text(statement()), public_access_block=restricting)
    assert not may(ANONYMOUS, "s3:GetObject", public, Version())
    assert not may(STRANGER, "s3:GetObject", public, Version())
    assert may(ALICE, "s3:GetObject", public, Version())
    named = Bucket(text(statement(Principal={"AWS": OTHER_ID})), public_access_block=restricting)
    assert may(STRANGER, "s3:GetObject", named, Version())


def test_the_account_s_block_counts_beside_the_bucket_s() -> None:
    public = Bucket(acl=PUBLIC_READ, account_public_access_block=block(ignores_public_acls=True))
    assert not may(ANONYMOUS, "s3:ListBucket", public)
    assert not may(ANONYMOUS, "s3:ListBucket", replace(public, public_access_block=block(blocks_public_acls=True)))
    assert may(ANONYMOUS, "s3:ListBucket", replace(public, account_public_access_block=block(blocks_public_acls=True)))


@pytest.mark.parametrize("action", ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"])
def test_no_policy_locks_the_owner_s_root_user_out(action: str) -> None:
    locked = Bucket(text(statement(Effect="Deny", Action="s3:*", Resource="*")))
    assert decide(ROOT, action=action, bucket=locked).is_allowed
    user = Principal(
        OWNER_ID, "1" * 64, "", 7, "alice", False, policies=PrincipalPolicies((identity(Action="*", Resource="*"),))
    )
    assert decide(user, action=action, bucket=locked).outcome == Outcome.EXPLICIT_DENY
    assert not decide(ROOT, action="s3:DeleteBucket", bucket=locked).is_allowed


def test_a_limited_session_of_the_root_user_is_limited() -> None:
    limited = Principal(OWNER_ID, "1" * 64, "", 7, "root", True, policies=PrincipalPolicies(session=()))
    assert not may(limited, "s3:GetObject", Bucket(), Version())
    assert not decide(limited, action="s3:GetBucketPolicy", bucket=Bucket()).is_allowed


def test_a_user_makes_the_buckets_that_its_policies_name() -> None:
    own = PrincipalPolicies((identity(Action="s3:CreateBucket", Resource="arn:aws:s3:::team-*"),))
    user = Principal(OWNER_ID, "1" * 64, "", 7, "alice", False, policies=own)
    assert decide(user, action="s3:CreateBucket", bucket_name="team-a").is_allowed
    assert not decide(user, action="s3:CreateBucket", bucket_name="other").is_allowed


def test_conditions_see_tags_and_stated_keys() -> None:
    tagged = Bucket(text(statement(Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}})))
    assert may(ANONYMOUS, "s3:GetObject", tagged, Version(tags={"a": "b"}))
    assert not may(ANONYMOUS, "s3:GetObject", tagged, Version(tags={"a": "c"}))
    listed = Bucket(
        text(
            statement(Action="s3:ListBucket", Resource="arn:aws:s3:::b", Condition={"StringLike": {"s3:prefix": "p/*"}})
        )
    )
    for key, is_allowed in [("p/x", True), ("q/x", False)]:
        decision = decide(ANONYMOUS, action="s3:ListBucket", bucket=listed, stated={"s3:prefix": key})
        assert decision.is_allowed is is_allowed


@pytest.mark.parametrize("key", ["s3:BucketTag/Team", "aws:ResourceTag/Team"])
def test_the_tags_of_the_bucket_are_condition_keys_where_abac_is_enabled(key: str) -> None:
    mine = {"StringEquals": {key: "${aws:PrincipalTag/team}"}}
    own = identity(Action="s3:*", Resource="*", Condition=mine)
    alice = replace(ALICE, tags={"team": "blue"}, policies=PrincipalPolicies((own,)))
    for tags, is_allowed in [('{"Team": "blue"}', True), ('{"Team": "red"}', False), (None, False)]:
        bucket = Bucket(tags=tags, is_abac_enabled=True)
        assert may(alice, "s3:GetObject", bucket, Version()) is is_allowed
        assert may(alice, "s3:ListBucket", bucket) is is_allowed
        assert not may(alice, "s3:ListBucket", Bucket(tags=tags))
    closed = text(statement(Effect="Deny", Condition={"Null": {key: "true"}}))
    assert not may(ROOT, "s3:GetObject", Bucket(closed), Version())
    assert may(ROOT, "s3:GetObject", Bucket(closed, tags='{"Team": "x"}', is_abac_enabled=True), Version())
    assert not may(ROOT, "s3:GetObject", Bucket(closed, tags='{"Team": "x"}'), Version())
