"""The console's audit pages and its JSON API: found, filtered, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.console.session import ConsoleSession
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows
from tests.s3.iam import allow, make_user, policy_of, refusal, trust, unique

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def operator(live: LiveSystem) -> ConsoleSession:
    session = ConsoleSession(live.console_url)
    session.sign_in(live.admin_user, live.admin_password)
    return session


@pytest.fixture(scope="module")
def refused(live: LiveSystem, operator: ConsoleSession) -> dict[str, Any]:
    """A refused request of nobody on a bucket of the operator's, and its row."""
    client = live.client()
    client.create_bucket(Bucket="audited-pages")
    client.put_object(Bucket="audited-pages", Key="<b>&/k", Body=b"x")
    nobody = live.client(aws_secret_access_key="wrong")
    with pytest.raises(ClientError):
        nobody.get_object(Bucket="audited-pages", Key="<b>&/k")
    (row,) = wait_for_rows(live, 1, "--bucket", "audited-pages", "--is-refused", "true")
    return row


def test_the_search_finds_by_fields(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    page = operator.get("/audit/", bucket="audited-pages", is_refused="true")
    assert page.status == 200
    assert "SignatureDoesNotMatch" in page.text
    assert "<b>&/k" not in page.text  # escaped
    none = operator.get("/audit/", bucket="audited-pages", operation="DeleteBucket")
    assert "Nothing that you may see matches." in none.text


def test_a_wrong_filter_is_told(operator: ConsoleSession) -> None:
    page = operator.get("/audit/", since="yesterday")
    assert page.status == 400
    assert "is no time" in page.text
    for parameters in (
        {"status": "x"},
        {"after": "x"},
        {"key": "\0"},
        {"is_refused": "maybe"},
        {"after": "2030-01-01~1e9"},
    ):
        assert operator.get("/audit/", **parameters).status == 400


def test_a_row_and_a_timeline_are_shown(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    assert refused["request_id"] in operator.get(f"/audit/row/{refused['id']}/").text
    assert operator.get("/audit/row/99999999999999999999/").status == 404
    timeline = operator.get("/buckets/audited-pages/timeline/", key="<b>&/k")
    assert "PutObject" in timeline.text
    assert "SignatureDoesNotMatch" in timeline.text
    assert "timeline" in operator.get("/buckets/audited-pages/object/", key="<b>&/k").text


def test_the_api_pages_through_everything(operator: ConsoleSession, refused: dict[str, Any]) -> None:
    seen, after = [], ""
    while True:
        answer = json.loads(operator.get("/api/audit/", bucket="audited-pages", limit="1", after=after).body)
        seen += answer["rows"]
        after = answer.get("next", "")
        if not after:
            break
    assert {row["operation"] for row in seen} >= {"CreateBucket", "PutObject", "GetObject"}
    assert len({row["id"] for row in seen}) == len(seen)
    one = json.loads(operator.get(f"/api/audit/{refused['request_id']}/").body)
    assert one["rows"][0]["error_code"] == "SignatureDoesNotMatch"
    assert operator.get("/api/audit/", limit="0").status == 400
    assert operator.get("/api/audit/NONE/").status == 404


def test_nobody_sees_anything_without_signing_in(live: LiveSystem) -> None:
    session = ConsoleSession(live.console_url)
    assert "/sign-in/" in session.get("/audit/").url
    assert session.get("/api/audit/").status == 403


def test_another_account_sees_its_own_rows_alone(live: LiveSystem, refused: dict[str, Any]) -> None:
    from tests.console.session import texts

    live.manage("create_account", "watcher", "--email", "watcher@example.org")
    live.manage(
        "shell",
        "-c",
        "from accesscontrol.models import User; u = User.objects.get(username='watcher'); u.is_staff = True; "
        "u.set_password('a long password'); u.save()",
    )
    session = ConsoleSession(live.console_url)
    session.sign_in("watcher", "a long password")
    assert json.loads(session.get("/api/audit/", bucket="audited-pages").body)["rows"] == []
    assert session.get(f"/audit/row/{refused['id']}/").status == 404
    assert session.get(f"/api/audit/{refused['request_id']}/").status == 404
    assert texts("(Nothing that you may see matches.)", session.get("/audit/", bucket="audited-pages").text)
    assert json.loads(session.get("/api/audit/", source="console").body)["rows"]  # its own sign-in


def test_a_refusal_is_explained_then_and_now(live: LiveSystem, operator: ConsoleSession) -> None:
    client = live.client()
    client.create_bucket(Bucket="explained")
    client.put_object(Bucket="explained", Key="k", Body=b"x")
    nobody = live.client(config=Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}))
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.get_object(Bucket="explained", Key="k")
    (row,) = wait_for_rows(live, 1, "--bucket", "explained", "--is-refused", "true")
    page = operator.get(f"/audit/row/{row['id']}/explanation/")
    assert "Now it would be decided alike." in page.text
    assert "add this statement" in page.text
    told = json.loads(operator.get(f"/api/audit/rows/{row['id']}/explanation/").body)
    (change,) = told["now"]["smallest_change"]
    policy = {"Version": "2012-10-17", "Statement": [change["statement"]]}
    client.put_bucket_policy(Bucket="explained", Policy=json.dumps(policy))
    assert nobody.get_object(Bucket="explained", Key="k")["Body"].read() == b"x"
    told = json.loads(operator.get(f"/api/audit/rows/{row['id']}/explanation/").body)
    assert (told["then"]["outcome"], told["now"]["outcome"], told["is_the_same"]) == ("not allowed", "allowed", False)
    said = live.manage("explain", "--row", str(row["id"])).stdout
    assert said.startswith("then: not allowed")
    assert "allowed: Allow" in said


def test_questions_are_answered_by_page_api_and_command(live: LiveSystem, operator: ConsoleSession) -> None:
    asked = {"principal": "*", "action": "s3:PutObject", "resource": "audited-pages/new"}
    assert "smallest change" in operator.get("/explain/", **asked).text
    told = json.loads(operator.get("/api/explain/", **asked).body)
    assert told["smallest_change"][0]["statement"]["Principal"] == "*"
    assert json.loads(live.manage("explain", "*", "s3:PutObject", "audited-pages/new", "--json").stdout) == told
    for wrong in ({"principal": "nonsense"}, {"action": "Put"}, {"resource": "no-such-bucket"}, {"resource": ""}):
        assert operator.get("/api/explain/", **{**asked, **wrong}).status == 400


def test_another_account_is_explained_nothing_about_this_one(live: LiveSystem, refused: dict[str, Any]) -> None:
    session = ConsoleSession(live.console_url)
    session.sign_in("watcher", "a long password")
    asked = {"principal": "*", "action": "s3:GetObject", "resource": "audited-pages/k"}
    assert session.get("/api/explain/", **asked).status == 403
    assert session.get("/explain/", **asked).status == 403
    assert session.get("/api/explain/", **{**asked, "resource": "no-such-bucket"}).status == 403
    assert session.get(f"/audit/row/{refused['id']}/explanation/").status == 404
    # Whose a session is says its account, not what it is called.
    account = live.client("sts").get_caller_identity()["Account"]
    own = json.loads(session.get("/api/audit/", source="console").body)["rows"][0]["account_id"]
    session_of_another = f"arn:aws:sts::{account}:assumed-role/anything/s::{own}:"
    assert session.get("/api/explain/", **{**asked, "principal": session_of_another, "resource": "*"}).status == 403


def test_refusals_of_iam_are_explained_by_what_they_were_about(live: LiveSystem, operator: ConsoleSession) -> None:
    iam = live.client("iam")
    user = make_user(iam, allow("iam:GetUser", resource="arn:aws:iam::*:user/nobody"))
    with pytest.raises(ClientError, match="AccessDenied"):
        user.keys.client(live, "iam").delete_user(UserName="other")
    (row,) = wait_for_rows(live, 1, "--principal", user.arn, "--is-refused", "true")
    told = json.loads(operator.get(f"/api/audit/rows/{row['id']}/explanation/").body)
    (change,) = told["now"]["smallest_change"]
    assert change["statement"] == {
        "Effect": "Allow",
        "Action": "iam:DeleteUser",
        "Resource": user.arn.rpartition("/")[0] + "/other",
    }
    assert told["is_the_same"]
    asked = {"principal": user.arn, "action": "iam:GetUser", "resource": user.arn.rpartition("/")[0] + "/nobody"}
    assert json.loads(operator.get("/api/explain/", **asked).body)["allowed"] is True
    assert json.loads(operator.get("/api/explain/", **{**asked, "resource": user.arn}).body)["allowed"] is False
    assert operator.get("/api/explain/", **{**asked, "resource": "audited-pages/k"}).status == 400
    assert operator.get("/api/explain/", **{**asked, "action": "s3:GetObject"}).status == 400


def test_refused_roles_are_explained_and_the_change_that_is_proposed_opens_them(
    live: LiveSystem, operator: ConsoleSession
) -> None:
    iam, external = live.client("iam"), {"ExternalId": "abc"}
    user, name = make_user(iam), unique("explained")
    closed = trust({"Service": "s3.amazonaws.com"})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=closed)["Role"]["Arn"]
    sts = user.keys.client(live, "sts")
    assert refusal(lambda: sts.assume_role(RoleArn=role, RoleSessionName="session", **external)) == "AccessDenied"
    (row,) = wait_for_rows(live, 1, "--principal", user.arn, "--is-refused", "true")
    told = json.loads(operator.get(f"/api/audit/rows/{row['id']}/explanation/").body)
    assert told["is_the_same"]
    (change,) = told["now"]["smallest_change"]
    assert change == {
        "where": "trust policy",
        "text": "add this statement",
        "statement": {"Effect": "Allow", "Principal": {"AWS": user.arn}, "Action": "sts:AssumeRole"},
    }
    statement = {**change["statement"], "Condition": {"StringEquals": {"sts:ExternalId": "abc"}}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy_of(statement))
    asked = {"principal": user.arn, "action": "sts:AssumeRole", "resource": role}
    told = json.loads(operator.get("/api/explain/", **asked).body)
    assert (told["allowed"], "sts:externalid" in told["remarks"][0]) == (False, True)
    assert json.loads(operator.get("/api/explain/", **asked, context="sts:ExternalId=abc\n").body)["allowed"] is True
    assert "role" in operator.get("/explain/", **asked, context="sts:ExternalId=abc").text
    assert live.manage("explain", *asked.values(), "--context", "sts:ExternalId=abc").stdout.splitlines()[1] == (
        "allowed: Allow '1' of the trust policy"
    )
    sts.assume_role(RoleArn=role, RoleSessionName="session", **external)
    service = {**asked, "principal": "s3.amazonaws.com"}
    assert json.loads(operator.get("/api/explain/", **service).body)["smallest_change"][0]["where"] == "trust policy"
    for wrong in (
        {**asked, "resource": role + "x"},
        {**asked, "resource": "*"},
        {**asked, "action": "sts:AssumeRoleWithWebIdentity"},
        {**asked, "context": "sts:ExternalId"},
        {**asked, "principal": role.replace(":role/", ":oidc-provider/")},
    ):
        assert operator.get("/api/explain/", **wrong).status == 400, wrong
    watcher = ConsoleSession(live.console_url)
    watcher.sign_in("watcher", "a long password")
    own = json.loads(watcher.get("/api/audit/", source="console").body)["rows"][0]["account_id"]
    for principal in (f"arn:aws:iam::{own}:root", "*", "s3.amazonaws.com"):
        for action in ("sts:AssumeRole", "sts:assumerole", "sts:TagSession"):
            assert watcher.get("/api/explain/", **{**asked, "principal": principal, "action": action}).status == 403


def test_what_a_trust_policy_says_of_another_account_is_not_that_account_s_business(live: LiveSystem) -> None:
    made = live.manage("create_account", "asker", "--email", "asker@example.org", "--json")
    theirs = json.loads(made.stdout)
    keys = {"aws_access_key_id": theirs["access_key"], "aws_secret_access_key": theirs["secret_key"]}
    user = make_user(live.client("iam", **keys), allow("sts:AssumeRole"))
    iam, name = live.client("iam"), unique("closed")
    denying = {"Sid": "NotThem", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_of(denying))["Role"]["Arn"]
    sts = user.keys.client(live, "sts")
    assert refusal(lambda: sts.assume_role(RoleArn=role, RoleSessionName="session")) == "AccessDenied"
    (row,) = wait_for_rows(live, 1, "--principal", user.arn, "--is-refused", "true")
    assert (row["account_id"], row["owner_id"]) == (theirs["id"], role.split(":")[4])
    assert "NotThem" in row["reason"]
    shell = "from audit.selectors import document, find_row; print(document(find_row({}), visible_to={!r}))"
    for account_id, is_told in ((theirs["id"], False), (row["owner_id"], True)):
        told = live.manage("shell", "-c", shell.format(row["id"], account_id)).stdout
        assert ("NotThem" in told) is is_told
