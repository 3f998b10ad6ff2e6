"""Users, groups and keys through the IAM API, and what they may do at S3."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.console.session import ConsoleSession
from tests.live.system import LiveSystem
from tests.s3.iam import Keys, allow, becomes, deny, make_user, policy_of, refusal, unique

FULL = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def test_a_user_is_made_shown_renamed_and_deleted(iam: Any) -> None:
    name = unique("Ann")
    made = iam.create_user(UserName=name, Path="/staff/", Tags=[{"Key": "team", "Value": "a"}])["User"]
    assert made["Arn"].endswith(f":user/staff/{name}")
    assert made["UserId"].startswith("AIDA")
    assert iam.get_user(UserName=name.lower())["User"] == made
    assert refusal(lambda: iam.create_user(UserName=name.upper())) == "EntityAlreadyExists"
    iam.update_user(UserName=name, NewUserName=f"{name}-b", NewPath="/left/")
    assert refusal(lambda: iam.get_user(UserName=name)) == "NoSuchEntity"
    moved = iam.get_user(UserName=f"{name}-b")["User"]
    assert (moved["UserId"], moved["Path"]) == (made["UserId"], "/left/")
    iam.delete_user(UserName=f"{name}-b")
    assert refusal(lambda: iam.delete_user(UserName=f"{name}-b")) == "NoSuchEntity"


def test_users_are_listed_page_by_page_in_the_order_of_their_names(iam: Any) -> None:
    path = f"/{unique('list')}/"
    names = [unique("b"), unique("A"), unique("c")]
    for name in names:
        iam.create_user(UserName=name, Path=path)
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 1}))
    assert [user["UserName"] for page in pages for user in page["Users"]] == sorted(names, key=str.upper)
    assert len(pages) == 3
    assert refusal(lambda: iam.list_users(Marker="***")) == "ValidationError"


@pytest.mark.parametrize("name", ["", "a/b", "ä", "x" * 65, "a b"])
def test_a_name_that_cannot_be_is_a_validation_error(live: LiveSystem, name: str) -> None:
    from botocore.config import Config

    iam = live.client("iam", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))
    assert refusal(lambda: iam.create_user(UserName=name)) == "ValidationError"


def test_a_user_may_do_nothing_until_a_policy_allows_it(iam: Any, live: LiveSystem, owner: Any, bucket: str) -> None:
    user = make_user(iam)
    s3 = user.keys.client(live)
    assert refusal(s3.list_buckets) == "AccessDenied"
    assert refusal(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x")) == "AccessDenied"
    iam.attach_user_policy(UserName=user.name, PolicyArn=READ_ONLY)
    becomes(s3.list_buckets, "")
    assert refusal(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x")) == "AccessDenied"
    iam.put_user_policy(
        UserName=user.name,
        PolicyName="write",
        PolicyDocument=policy_of(allow("s3:PutObject", resource=f"arn:aws:s3:::{bucket}/*")),
    )
    becomes(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x"), "")
    iam.detach_user_policy(UserName=user.name, PolicyArn=READ_ONLY)
    becomes(s3.list_buckets, "AccessDenied")


def test_a_group_s_policies_are_its_members_and_a_deny_wins(iam: Any, live: LiveSystem, bucket: str) -> None:
    group, user = unique("writers"), make_user(iam)
    s3 = user.keys.client(live)
    iam.create_group(GroupName=group)
    iam.attach_group_policy(GroupName=group, PolicyArn=FULL)
    iam.add_user_to_group(GroupName=group, UserName=user.name)
    assert [one["UserName"] for one in iam.get_group(GroupName=group)["Users"]] == [user.name]
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName=user.name)["Groups"]] == [group]
    becomes(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x"), "")
    denied = policy_of(deny("s3:DeleteObject"))
    iam.put_group_policy(GroupName=group, PolicyName="no-deleting", PolicyDocument=denied)
    becomes(lambda: s3.delete_object(Bucket=bucket, Key="k"), "AccessDenied")
    assert refusal(lambda: iam.delete_group(GroupName=group)) == "DeleteConflict"
    iam.remove_user_from_group(GroupName=group, UserName=user.name)
    becomes(lambda: s3.head_bucket(Bucket=bucket), "403")
    iam.delete_group_policy(GroupName=group, PolicyName="no-deleting")
    iam.detach_group_policy(GroupName=group, PolicyArn=FULL)
    iam.delete_group(GroupName=group)


def test_a_permissions_boundary_bounds_what_policies_allow(iam: Any, live: LiveSystem) -> None:
    user = make_user(iam, allow("s3:*"))
    s3 = user.keys.client(live)
    becomes(s3.list_buckets, "")
    iam.put_user_permissions_boundary(
        UserName=user.name, PermissionsBoundary="arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    )
    becomes(s3.list_buckets, "AccessDenied")
    shown = iam.get_user(UserName=user.name)["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
    iam.delete_user_permissions_boundary(UserName=user.name)
    becomes(s3.list_buckets, "")


def test_a_key_is_switched_off_and_on_and_deleted(iam: Any, live: LiveSystem) -> None:
    user = make_user(iam, allow("s3:*"))
    key, s3 = user.keys.aws_access_key_id, user.keys.client(live)
    becomes(s3.list_buckets, "")
    iam.update_access_key(UserName=user.name, AccessKeyId=key, Status="Inactive")
    becomes(s3.list_buckets, "InvalidAccessKeyId")
    iam.update_access_key(UserName=user.name, AccessKeyId=key, Status="Active")
    becomes(s3.list_buckets, "")
    used = iam.get_access_key_last_used(AccessKeyId=key)
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == (user.name, "s3")
    iam.create_access_key(UserName=user.name)
    assert refusal(lambda: iam.create_access_key(UserName=user.name)) == "LimitExceeded"
    iam.delete_access_key(UserName=user.name, AccessKeyId=key)
    becomes(s3.list_buckets, "InvalidAccessKeyId")
    assert refusal(lambda: iam.delete_access_key(UserName=user.name, AccessKeyId=key)) == "NoSuchEntity"


def test_a_user_has_to_be_empty_to_be_deleted(iam: Any) -> None:
    user = make_user(iam, allow("s3:*"))
    assert refusal(lambda: iam.delete_user(UserName=user.name)) == "DeleteConflict"
    iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys.aws_access_key_id)
    assert refusal(lambda: iam.delete_user(UserName=user.name)) == "DeleteConflict"
    iam.delete_user_policy(UserName=user.name, PolicyName="own")
    iam.delete_user(UserName=user.name)


def test_tags_are_added_and_removed_and_asked_by_conditions(iam: Any, live: LiveSystem, bucket: str) -> None:
    user = make_user(iam, allow("s3:ListBucket", Condition={"StringEquals": {"aws:PrincipalTag/team": "a"}}))
    s3 = user.keys.client(live)
    assert refusal(lambda: s3.list_objects_v2(Bucket=bucket)) == "AccessDenied"
    iam.tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "a"}, {"Key": "b", "Value": ""}])
    becomes(lambda: s3.list_objects_v2(Bucket=bucket), "")
    iam.untag_user(UserName=user.name, TagKeys=["b"])
    assert iam.list_user_tags(UserName=user.name)["Tags"] == [{"Key": "team", "Value": "a"}]
    twice = [{"Key": "A", "Value": "1"}, {"Key": "a", "Value": "2"}]
    assert refusal(lambda: iam.tag_user(UserName=user.name, Tags=twice)) == "InvalidInput"


def test_who_renames_needs_leave_for_what_it_becomes(iam: Any, live: LiveSystem) -> None:
    team = unique("team")
    account_arn = iam.get_user()["User"]["Arn"].rpartition(":")[0]
    manager = make_user(iam, allow("iam:UpdateUser", resource=f"{account_arn}:user/{team}/*"))
    name, client = (
        iam.create_user(UserName=unique("user"), Path=f"/{team}/")["User"]["UserName"],
        manager.keys.client(live, "iam"),
    )
    renamed = unique("user")
    becomes(lambda: client.update_user(UserName=name, NewUserName=renamed), "")
    assert refusal(lambda: client.update_user(UserName=renamed, NewPath="/admins/")) == "AccessDenied"
    assert iam.get_user(UserName=renamed)["User"]["Path"] == f"/{team}/"


def test_another_account_sees_none_of_it(iam: Any, live: LiveSystem, stranger_credentials: Any) -> None:
    user = make_user(iam)
    other = Keys(stranger_credentials.access_key_id, stranger_credentials.secret_key).client(live, "iam")
    assert refusal(lambda: other.get_user(UserName=user.name)) == "NoSuchEntity"
    assert user.name not in [one["UserName"] for one in other.list_users()["Users"]]
    assert refusal(lambda: other.get_access_key_last_used(AccessKeyId=user.keys.aws_access_key_id)) == "AccessDenied"
    assert refusal(lambda: other.create_access_key(UserName=user.name)) == "NoSuchEntity"


def test_a_user_who_may_attach_one_policy_alone_attaches_no_other(iam: Any, live: LiveSystem) -> None:
    delegate = make_user(
        iam,
        allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": READ_ONLY}}),
    )
    theirs = delegate.keys.client(live, "iam")
    theirs.attach_user_policy(UserName=delegate.name, PolicyArn=READ_ONLY)
    assert refusal(lambda: theirs.attach_user_policy(UserName=delegate.name, PolicyArn=FULL)) == "AccessDenied"


def test_users_are_made_with_a_boundary_where_that_is_demanded(iam: Any, live: LiveSystem) -> None:
    demanded = {"StringEquals": {"iam:PermissionsBoundary": READ_ONLY}}
    maker = make_user(iam, allow("iam:CreateUser", Condition=demanded)).keys.client(live, "iam")
    name = unique("bounded")
    assert refusal(lambda: maker.create_user(UserName=name)) == "AccessDenied"
    assert refusal(lambda: maker.create_user(UserName=name, PermissionsBoundary=FULL)) == "AccessDenied"
    maker.create_user(UserName=name, PermissionsBoundary=READ_ONLY)


def test_the_account_is_summed_up_named_and_reported(iam: Any) -> None:
    user = make_user(iam)
    assert iam.get_account_summary()["SummaryMap"]["Users"] >= 1
    alias = unique("alias")
    iam.create_account_alias(AccountAlias=alias)
    assert iam.list_account_aliases()["AccountAliases"] == [alias]
    iam.delete_account_alias(AccountAlias=alias)
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    rows = {row["user"]: row for row in csv.DictReader(iam.get_credential_report()["Content"].decode().splitlines())}
    assert rows[user.name]["access_key_1_active"] == "true"
    assert rows["<root_account>"]["arn"].endswith(":root")
    details = iam.get_account_authorization_details(Filter=["User"])
    assert user.name in [one["UserName"] for one in details["UserDetailList"]]
    assert details["RoleDetailList"] == details["Policies"] == []


def test_the_root_user_s_password_is_no_login_profile(iam: Any, live: LiveSystem) -> None:
    assert refusal(iam.get_login_profile) == "ValidationError"
    assert refusal(iam.delete_login_profile) == "ValidationError"
    assert refusal(lambda: iam.create_login_profile(Password="a long password, 1")) == "ValidationError"
    signed_in = ConsoleSession(live.console_url).sign_in(live.admin_user, live.admin_password)
    assert "/sign-in/" not in signed_in.url


def test_a_password_follows_the_account_s_policy(iam: Any, live: LiveSystem) -> None:
    user = make_user(iam, allow("iam:ChangePassword"))
    assert refusal(lambda: iam.get_login_profile(UserName=user.name)) == "NoSuchEntity"
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True)
    try:
        short = {"UserName": user.name, "Password": "short1"}
        assert refusal(lambda: iam.create_login_profile(**short)) == "PasswordPolicyViolation"
        iam.create_login_profile(UserName=user.name, Password="long enough 1 indeed")
        theirs = user.keys.client(live, "iam")
        wrong = {"OldPassword": "no", "NewPassword": "another long one 2"}
        assert refusal(lambda: theirs.change_password(**wrong)) == "AccessDenied"
        theirs.change_password(OldPassword="long enough 1 indeed", NewPassword="another long one 2")
        assert iam.get_login_profile(UserName=user.name)["LoginProfile"]["UserName"] == user.name
    finally:
        iam.delete_account_password_policy()
    iam.delete_login_profile(UserName=user.name)
