"""An account's users, groups, roles, policies and keys in the console: what IAM lets whoever is signed in do, no more."""

from __future__ import annotations

import json

import pytest

from tests.console.session import Answer, ConsoleSession, Person, texts
from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows
from tests.s3.iam import Keys, allow, becomes, policy_of, trust, unique

pytestmark = pytest.mark.live


def do(person: Person, operation: str, **members: str) -> Answer:
    return person.session.post(f"/access/do/{operation}/", **members)


def make_key(person: Person, name: str) -> Keys:
    page = do(person, "CreateAccessKey", UserName=name)
    (access_key,) = texts(r'id="new-access-key">([^<]+)<', page.text)
    (secret_key,) = texts(r'id="new-secret-key"[^>]*>([^<]+)<', page.text)
    assert page.headers["Cache-Control"] == "private, no-store"
    assert secret_key not in person.session.get(f"/access/users/{name}/").text
    return Keys(access_key, secret_key)


@pytest.fixture
def name(operator: Person) -> str:
    made = unique("user")
    assert do(operator, "CreateUser", UserName=made).url.endswith(f"/access/users/{made}/")
    return made


def test_a_user_gets_keys_policies_and_groups(live: LiveSystem, operator: Person, name: str) -> None:
    assert f"/access/users/{name}/" in operator.session.get("/access/users/").text
    group = unique("group")
    do(operator, "CreateGroup", GroupName=group)
    do(operator, "PutGroupPolicy", GroupName=group, PolicyName="list", PolicyDocument=policy_of(allow("s3:ListBucket")))
    page = do(operator, "AddUserToGroup", GroupName=group, UserName=name, page="group")
    assert page.url.endswith(f"/access/groups/{group}/")
    assert name in page.text
    builtin = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    page = do(operator, "AttachUserPolicy", UserName=name, PolicyArn=builtin)
    assert page.url.endswith(f"/access/users/{name}/")
    assert (group in page.text, builtin in page.text) == (True, True)

    first = make_key(operator, name)
    becomes(lambda: first.client(live).list_buckets(), "")
    second = make_key(operator, name)  # rotation: both work until the first is switched off
    do(operator, "UpdateAccessKey", UserName=name, AccessKeyId=first.aws_access_key_id, Status="Inactive")
    becomes(lambda: first.client(live).list_buckets(), "InvalidAccessKeyId")
    becomes(lambda: second.client(live).list_buckets(), "")
    third = do(operator, "CreateAccessKey", UserName=name)
    assert (third.status, "new-secret-key" in third.text) == (409, False)
    do(operator, "DeleteAccessKey", UserName=name, AccessKeyId=first.aws_access_key_id)
    assert first.aws_access_key_id not in operator.session.get(f"/access/users/{name}/").text
    (row,) = wait_for_rows(live, 1, "--operation", "console:DeleteAccessKey", "--limit", "1")
    assert (row["action"], row["outcome"]) == ("iam:DeleteAccessKey", "allowed")
    assert second.aws_secret_access_key not in json.dumps(row) + live.log


def test_what_iam_refuses_changes_nothing_and_says_why(operator: Person, name: str) -> None:
    refused = do(operator, "PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument='{"Version": "<script>"}')
    assert refused.status == 400
    assert "<script>" not in refused.text.split("<main", 1)[1]
    assert "None." in operator.session.get(f"/access/users/{name}/").text
    assert do(operator, "DeleteUser", UserName="no-such-user").status == 404
    assert do(operator, "CreateUser", UserName="a b").status == 400
    assert do(operator, "CreateUser", UserName="a\0b").status == 400
    assert do(operator, "AssumeRole", RoleArn="x").status == 404
    assert operator.session.get("/access/policy/", arn="arn:aws:iam::aws:policy/Nothing").status == 404
    assert operator.session.get("/access/do/DeleteUser/").status == 405
    anonymous = ConsoleSession(operator.session.console_url)
    assert "/sign-in/" in anonymous.get("/access/users/").url


def test_policies_have_versions_and_roles_a_trust_policy(operator: Person) -> None:
    policy, role = unique("policy"), unique("role")
    document = policy_of(allow("s3:GetObject"))
    do(operator, "CreatePolicy", PolicyName=policy, PolicyDocument=document)
    (arn,) = {
        one
        for one in texts(
            r"(arn:aws:iam::\d+:policy/[\w-]+)", operator.session.get("/access/policies/", scope="own").text
        )
        if one.endswith(policy)
    }
    again = policy_of(allow("s3:PutObject"))
    do(operator, "CreatePolicyVersion", PolicyArn=arn, PolicyDocument=again, SetAsDefault="true")
    page = operator.session.get("/access/policy/", arn=arn)
    assert ("s3:PutObject" in page.text, "s3:GetObject" in page.text) == (True, False)
    assert "s3:GetObject" in operator.session.get("/access/policy/", arn=arn, version="v1").text
    do(operator, "CreateRole", RoleName=role, AssumeRolePolicyDocument=trust({"Service": "s3.amazonaws.com"}))
    do(operator, "AttachRolePolicy", RoleName=role, PolicyArn=arn)
    page = operator.session.get(f"/access/roles/{role}/")
    assert ("s3.amazonaws.com" in page.text, policy in page.text) == (True, True)
    assert role in operator.session.get("/access/policy/", arn=arn).text
    assert role in operator.session.get("/access/roles/").text


def test_accounts_see_their_own_alone(operator: Person, stranger: Person, name: str) -> None:
    assert name not in stranger.session.get("/access/users/").text
    assert stranger.session.get(f"/access/users/{name}/").status == 404
    assert do(stranger, "CreateAccessKey", UserName=name).status == 404
    assert do(stranger, "DeleteUser", UserName=name).status == 404
    theirs = unique("theirs")
    do(stranger, "CreateUser", UserName=theirs)
    assert operator.session.get(f"/access/users/{theirs}/").status == 404
    assert theirs not in operator.session.get("/access/users/").text


def test_a_user_may_do_what_its_policies_say(live: LiveSystem, operator: Person, name: str) -> None:
    do(operator, "PutUserPolicy", UserName=name, PolicyName="own", PolicyDocument=policy_of(allow("iam:ListUsers")))
    do(operator, "CreateLoginProfile", UserName=name, Password="a long password, 1")
    account = live.client("sts").get_caller_identity()["Account"]
    session = ConsoleSession(live.console_url)
    assert f"{name}@{account}" in operator.session.get(f"/access/users/{name}/").text
    assert "/sign-in/" not in session.sign_in(f"{name}@{account}", "a long password, 1").url
    user = Person(name, "", session)
    wait_until(lambda: session.get("/access/users/").status == 200, "the policy is heard of", seconds=30)
    assert session.get("/access/roles/").status == 403
    refused = do(user, "CreateAccessKey", UserName=name)
    assert (refused.status, "iam:CreateAccessKey" in refused.text, "Encoded" in refused.text) == (403, True, False)
    assert session.get("/admin/accesscontrol/user/").status == 403


def test_a_password_is_changed_as_policies_and_the_account_s_demands_let(live: LiveSystem, name: str) -> None:
    iam, account_id = live.client("iam"), live.client("sts").get_caller_identity()["Account"]
    first, second = "first Passw0rd", "  second Passw0rd "
    iam.create_login_profile(UserName=name, Password=first)
    session, elsewhere = ConsoleSession(live.console_url), ConsoleSession(live.console_url)
    for one in (session, elsewhere):
        one.sign_in(f"{name}@{account_id}", first)
    assert session.get("/admin/password_change/").url.endswith("/security/")
    assert session.post("/security/password/", old=first, new=second).status == 403  # no policy lets them
    document = policy_of(allow("iam:ChangePassword", Resource=f"arn:aws:iam::{account_id}:user/{name}"))
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    assert session.post("/security/password/", old=first, new="short").status == 400
    assert session.post("/security/password/", old="wrong", new=second).status == 403
    assert "Your password is changed" in session.post("/security/password/", old=first, new=second).text
    assert session.get("/security/").status == 200
    assert "/sign-in/" in elsewhere.get("/security/").url
    assert "/sign-in/" in ConsoleSession(live.console_url).sign_in(f"{name}@{account_id}", first).url
    assert ConsoleSession(live.console_url).sign_in(f"{name}@{account_id}", second).url.endswith("/buckets/")
