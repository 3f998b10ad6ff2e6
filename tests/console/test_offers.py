"""Who may do little is offered little: no tab, button or row that is refused, and a way to what is allowed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.console.session import ConsoleSession, Person, texts
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live

PASSWORD = "a visitor's password, 1"


@pytest.fixture(scope="module")
def sign_in_as(live: LiveSystem) -> Callable[[Sequence[dict[str, Any]]], ConsoleSession]:
    """Return a maker of users who may do what statements say, each signed in."""
    iam = live.client("iam")

    def sign_in(statements: Sequence[dict[str, Any]]) -> ConsoleSession:
        name = f"visitor-{secrets.token_hex(4)}"
        account = iam.create_user(UserName=name)["User"]["Arn"].split(":")[4]
        iam.create_login_profile(UserName=name, Password=PASSWORD)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        session = ConsoleSession(live.console_url)
        session.sign_in(f"{name}@{account}", PASSWORD)
        return session

    return sign_in


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def test_a_reader_of_one_bucket_finds_it_and_nothing_that_is_refused(
    live: LiveSystem, new_bucket: Callable[..., str], sign_in_as: Callable[..., ConsoleSession]
) -> None:
    bucket, client = new_bucket(is_versioned=True), live.client()
    for body in (b"old", b"new"):
        client.put_object(Bucket=bucket, Key="docs/k", Body=body)
    session = sign_in_as([allow("s3:ListBucket", "s3:GetObject")])
    landed = session.get("/buckets/")
    assert landed.status == 403
    assert 'name="open"' in landed.text
    assert "3 to 63" in session.get("/buckets/", open="x").text
    listing = session.get("/buckets/", open=bucket)
    assert listing.url.endswith(f"/buckets/{bucket}/")
    object_page = session.get(f"/buckets/{bucket}/object/", key="docs/k")
    pages = [listing.text, session.get(f"/buckets/{bucket}/", prefix="docs/").text, object_page.text]
    for page in pages:
        for link in texts(rf'href="(/buckets/{bucket}/[^"#]*)"', page):
            assert session.request(link).status == 200, link
        assert "/audit/" not in page
    assert "older version" not in object_page.text, "ListBucketVersions is not allowed"
    refused = session.request(f"/buckets/{bucket}/deleted/", headers={"Referer": listing.url})
    assert refused.status == 403
    assert f'href="/buckets/{bucket}/">Go back' in refused.text


def test_settings_and_documents_offer_no_change_to_who_may_only_read(
    live: LiveSystem, new_bucket: Callable[..., str], sign_in_as: Callable[..., ConsoleSession]
) -> None:
    bucket = new_bucket()
    rules = {"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}
    live.client().put_bucket_cors(Bucket=bucket, CORSConfiguration=rules)
    reading = ("s3:GetBucketVersioning", "s3:GetBucketCORS", "s3:GetLifecycleConfiguration")
    reader, writer = sign_in_as([allow(*reading)]), sign_in_as([allow(*reading, "s3:PutBucketCORS")])
    settings = reader.get(f"/buckets/{bucket}/settings/").text
    for operation in ("versioning", "history", "abac", "delete"):
        assert f"/settings/{operation}/" not in settings, operation
    page = reader.get(f"/buckets/{bucket}/configuration/cors/").text
    assert "You may read this, but not change it." in page
    assert " readonly>" in page
    assert ">Save<" not in page
    assert "Take away" not in page
    assert "What would it do?" not in reader.get(f"/buckets/{bucket}/configuration/lifecycle/").text
    page = writer.get(f"/buckets/{bucket}/configuration/cors/").text
    assert ">Save<" in page
    assert "Take away" in page


def test_policies_about_a_prefix_hold_for_who_browses(
    live: LiveSystem, new_bucket: Callable[..., str], sign_in_as: Callable[..., ConsoleSession]
) -> None:
    bucket, client = new_bucket(), live.client()
    for key in ("home/a", "secret/b"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    lists = ("s3:ListBucket", "s3:ListBucketVersions")
    at_home = sign_in_as([allow(*lists, Condition={"StringLike": {"s3:prefix": "home/*"}})])
    secret = {"Effect": "Deny", "Action": list(lists), "Resource": "*"}
    secret["Condition"] = {"StringLike": {"s3:prefix": "secret/*"}}
    kept_out = sign_in_as([allow("s3:*"), secret])
    for path in ("", "deleted/"):
        for session, answers in ((at_home, (403, 200, 403)), (kept_out, (200, 200, 403))):
            for prefix, status in zip(("", "home/", "secret/"), answers, strict=True):
                assert session.get(f"/buckets/{bucket}/{path}", prefix=prefix).status == status, (path, prefix)
    assert kept_out.get(f"/buckets/{bucket}/", begins="secret/").status == 403
    assert kept_out.post(f"/buckets/{bucket}/share/", {"prefix": "secret/"}, expires_days="1").status == 403
    assert kept_out.post(f"/buckets/{bucket}/restore-all/", {"prefix": "secret/"}).status == 403


def test_a_document_that_is_refused_leads_back_to_the_saved_one(
    operator: Person, new_bucket: Callable[..., str]
) -> None:
    address = f"/buckets/{new_bucket()}/configuration/replication/"
    assert "in place of <code>OTHER</code>" in operator.session.get(address).text
    refused = operator.session.post(address, document="{ nonsense")
    assert refused.status == 400
    assert "Back to what is saved" in refused.text


def test_who_may_only_look_at_identities_is_offered_no_change(
    live: LiveSystem, operator: Person, sign_in_as: Callable[..., ConsoleSession]
) -> None:
    iam, name = live.client("iam"), f"looked-at-{secrets.token_hex(4)}"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    iam.create_access_key(UserName=name)
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:ListBucket")]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    read_only, full = "arn:aws:iam::aws:policy/IAMReadOnlyAccess", "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_user_policy(UserName=name, PolicyArn=full)
    looking = allow("iam:Get*", "iam:List*")
    page = sign_in_as([looking]).get(f"/access/users/{name}/").text
    assert "/access/do/" not in page
    attaching = allow("iam:AttachUserPolicy", Condition={"ArnEquals": {"iam:PolicyARN": read_only}})
    attaching["Resource"] = user
    page = sign_in_as([looking, attaching]).get(f"/access/users/{name}/").text
    assert texts(r"/access/do/(\w+)/", page) == ["AttachUserPolicy"]
    assert texts(r'<option value="(arn:[^"]+)"', page) == [read_only]
    everything = set(texts(r"/access/do/(\w+)/", operator.session.get(f"/access/users/{name}/").text))
    assert {"DeleteUser", "DeleteAccessKey", "DetachUserPolicy", "PutUserPolicy", "CreateLoginProfile"} <= everything
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])


def test_who_may_not_see_identities_is_led_to_his_own_keys(sign_in_as: Callable[..., ConsoleSession]) -> None:
    session = sign_in_as([allow("s3:ListAllMyBuckets")])
    buckets = session.get("/buckets/").text
    assert 'href="/access/keys/"' in buckets
    assert "/create-bucket/" not in buckets
    keys = session.get("/access/keys/").text
    assert "You may not see the access keys." in keys
    assert "CreateAccessKey" not in keys
    assert "/access/roles/" not in keys


def test_a_policy_that_is_refused_is_not_lost(operator: Person) -> None:
    wrong = '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}'
    members = {"PolicyName": "mistaken", "PolicyDocument": wrong}
    answer = operator.session.post("/access/do/CreatePolicy/", **members)
    assert answer.status == 400
    assert texts(r"<textarea[^>]*>([^<]*)", answer.text) == [wrong]
    assert texts(r'<input type="hidden" name="PolicyName" value="([^"]*)"', answer.text) == ["mistaken"]


def test_an_archived_object_says_how_it_is_read_again(
    live: LiveSystem, operator: Person, new_bucket: Callable[..., str]
) -> None:
    bucket = new_bucket()
    live.client().put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER")
    page = operator.session.get(f"/buckets/{bucket}/object/", key="k").text
    assert "restore-object" in page
    assert 'class="button primary" href="/buckets/' not in page
