"""Attribute-based access control of buckets: their tags decide where that is enabled, and change by S3 Control."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from s3protocol.presign import presign_v4
from tests.live.system import LiveSystem
from tests.s3.audit_rows import wait_for_rows
from tests.s3.iam import Keys, allow, becomes, deny, make_user, refusal, unique
from tests.s3.refusals import refused
from tests.s3.sharing import allow as allow_by_bucket
from tests.s3.wire import Wire

ON, OFF = {"Status": "Enabled"}, {"Status": "Disabled"}
BLUE = [{"Key": "team", "Value": "blue"}]
DOMAIN = "s3.objstore.test"


def arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def tags_of(owner: Any, bucket: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in owner.get_bucket_tagging(Bucket=bucket)["TagSet"]}


@pytest.fixture(scope="module")
def account_id(sts: Any) -> str:
    """The account that owns the buckets."""
    return str(sts.get_caller_identity()["Account"])


@pytest.fixture(scope="module")
def control_of(live: LiveSystem) -> Callable[..., Any]:
    """Make S3 Control's client of whoever has keys, by default the root user.

    It puts the account before the host. Not every machine resolves such names: its requests are led to the system as they are.
    """
    port = urlsplit(live.endpoint).port

    def make(keys: Keys | None = None, host: str = "localhost") -> Any:
        signing = {"aws_access_key_id": live.access_key, "aws_secret_access_key": live.secret_key}
        if keys is not None:
            signing = {"aws_access_key_id": keys.aws_access_key_id, "aws_secret_access_key": keys.aws_secret_access_key}
        client = live.client("s3control", endpoint_url=f"http://{host}:{port}", **signing)

        def lead(request: Any, **_more: Any) -> None:
            named = urlsplit(request.url).netloc
            assert named.endswith(f".{host}:{port}")
            request.headers["host"] = named
            request.url = request.url.replace(named, f"127.0.0.1:{port}")

        client.meta.events.register("before-send.s3-control.*", lead)
        return client

    return make


@pytest.fixture(scope="module")
def control(control_of: Callable[..., Any]) -> Any:
    """S3 Control's client of the root user."""
    return control_of()


# PutBucketAbac, GetBucketAbac


def test_abac_is_off_until_it_is_enabled_and_again_when_it_is_disabled(owner: Any, bucket: str) -> None:
    assert owner.get_bucket_abac(Bucket=bucket)["AbacStatus"] == OFF
    for status in (ON, ON, OFF):
        owner.put_bucket_abac(Bucket=bucket, AbacStatus=status)
        assert owner.get_bucket_abac(Bucket=bucket)["AbacStatus"] == status


def test_a_status_is_one_of_two(owner: Any, wire: Wire, bucket: str) -> None:
    for document in (
        b"<AbacStatus/>",
        b"<AbacStatus><Status>enabled</Status></AbacStatus>",
        b"<Status>Enabled</Status>",
    ):
        assert wire.send("PUT", f"/{bucket}", query=[("abac", "")], body=document).refusal == (400, "MalformedXML")
    assert owner.get_bucket_abac(Bucket=bucket)["AbacStatus"] == OFF
    with refused("NoSuchBucket", 404):
        owner.put_bucket_abac(Bucket="test-no-such-bucket", AbacStatus=ON)


def test_while_it_is_enabled_tags_are_left_to_s3_control(
    owner: Any, control: Any, account_id: str, bucket: str
) -> None:
    owner.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": BLUE})
    owner.put_bucket_abac(Bucket=bucket, AbacStatus=ON)
    with refused("BadRequest", 400) as answer:
        owner.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    assert "initiate a TagResource request" in answer["Error"]["Message"]
    with refused("BadRequest", 400) as answer:
        owner.delete_bucket_tagging(Bucket=bucket)
    assert "initiate an UntagResource request" in answer["Error"]["Message"]
    assert tags_of(owner, bucket) == {"team": "blue"}
    control.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=[{"Key": "team", "Value": "red"}])
    assert tags_of(owner, bucket) == {"team": "red"}
    owner.put_bucket_abac(Bucket=bucket, AbacStatus=OFF)
    owner.delete_bucket_tagging(Bucket=bucket)
    assert control.list_tags_for_resource(AccountId=account_id, ResourceArn=arn(bucket))["Tags"] == []


# What tags decide


def test_the_tags_of_a_bucket_decide_only_where_abac_is_enabled(owner: Any, anonymous: Any, bucket: str) -> None:
    condition = {"StringEquals": {"s3:BucketTag/team": "blue", "aws:ResourceTag/team": "blue"}}
    allow_by_bucket(owner, bucket, "s3:GetObject", Condition=condition)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    owner.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": BLUE})
    read = lambda: anonymous.get_object(Bucket=bucket, Key="k")  # noqa: E731
    assert refusal(read) == "AccessDenied"
    owner.put_bucket_abac(Bucket=bucket, AbacStatus=ON)
    assert refusal(read) == ""
    owner.put_bucket_abac(Bucket=bucket, AbacStatus=OFF)
    assert refusal(read) == "AccessDenied"


def test_who_may_tag_decides_by_identity_policies(
    live: LiveSystem, iam: Any, owner: Any, control: Any, account_id: str, bucket: str
) -> None:
    team = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    blue = make_user(iam, allow("s3:GetObject", "s3:ListBucket", Condition=team)).keys.client(live)
    owner.put_bucket_abac(Bucket=bucket, AbacStatus=ON)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert refusal(lambda: blue.get_object(Bucket=bucket, Key="k")) == "AccessDenied"
    control.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=BLUE)
    assert refusal(lambda: blue.get_object(Bucket=bucket, Key="k")) == ""
    assert refusal(lambda: blue.list_objects_v2(Bucket=bucket)) == ""
    control.untag_resource(AccountId=account_id, ResourceArn=arn(bucket), TagKeys=["team"])
    assert refusal(lambda: blue.list_objects_v2(Bucket=bucket)) == "AccessDenied"


# S3 Control


def test_tags_are_added_replaced_listed_and_removed(owner: Any, control: Any, account_id: str, bucket: str) -> None:
    about = {"AccountId": account_id, "ResourceArn": arn(bucket)}
    assert control.list_tags_for_resource(**about)["Tags"] == []
    made = control.tag_resource(**about, Tags=[*BLUE, {"Key": "a/b c:d=e", "Value": "ü+@"}])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 204
    control.tag_resource(**about, Tags=[{"Key": "team", "Value": ""}, {"Key": "x", "Value": "1"}])
    assert tags_of(owner, bucket) == {"a/b c:d=e": "ü+@", "team": "", "x": "1"}
    assert control.list_tags_for_resource(**about)["Tags"] == owner.get_bucket_tagging(Bucket=bucket)["TagSet"]
    control.untag_resource(**about, TagKeys=["a/b c:d=e", "team", "never-there"])
    assert tags_of(owner, bucket) == {"x": "1"}
    control.untag_resource(**about, TagKeys=["x"])
    with refused("NoSuchTagSet", 404):
        owner.get_bucket_tagging(Bucket=bucket)


def test_tags_are_bounded_and_checked(owner: Any, control: Any, account_id: str, bucket: str) -> None:
    about = {"AccountId": account_id, "ResourceArn": arn(bucket)}
    control.tag_resource(**about, Tags=[{"Key": f"k{number}", "Value": "v"} for number in range(50)])
    with refused("BadRequest", 400) as answer:
        control.tag_resource(**about, Tags=[{"Key": "one-more", "Value": "v"}])
    assert answer["Error"]["Message"] == "Bucket tag count cannot be greater than 50"
    control.tag_resource(**about, Tags=[{"Key": "k0", "Value": "w"}])
    for key in ("aws:mine", "a,b", "ä" * 129):
        with refused("InvalidTag", 400):
            control.tag_resource(**about, Tags=[{"Key": key, "Value": "v"}])
    with refused("InvalidTag", 400):
        control.tag_resource(**about, Tags=[*BLUE, *BLUE])
    assert len(tags_of(owner, bucket)) == 50


def test_tags_that_are_added_at_once_are_all_there(owner: Any, control: Any, account_id: str, bucket: str) -> None:
    keys = {f"k{number}" for number in range(12)}

    def add(key: str) -> None:
        control.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=[{"Key": key, "Value": "v"}])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, sorted(keys)))
    assert tags_of(owner, bucket).keys() == keys


def test_another_resource_is_refused_and_a_missing_bucket_named(control: Any, account_id: str, bucket: str) -> None:
    with refused("NoSuchBucket", 404):
        control.list_tags_for_resource(AccountId=account_id, ResourceArn=arn("test-no-such-bucket"))
    for resource in (f"{arn(bucket)}/k", "arn:aws:s3:us-east-1:1:access-grants/default", "arn:aws:sns:::x"):
        with refused("InvalidRequest", 400):
            control.list_tags_for_resource(AccountId=account_id, ResourceArn=resource)
    with refused("NotImplemented", 501):
        control.list_access_points(AccountId=account_id)


def test_the_account_is_the_bucket_s_or_one_s_own(
    owner: Any,
    control: Any,
    control_of: Callable[..., Any],
    stranger_account: dict[str, str],
    account_id: str,
    bucket: str,
) -> None:
    with refused("AccessDenied", 403):
        control.list_tags_for_resource(AccountId="999999999999", ResourceArn=arn(bucket))
    stranger = control_of(Keys(stranger_account["access_key"], stranger_account["secret_key"]))
    with refused("AccessDenied", 403):
        stranger.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=BLUE)
    allow_by_bucket(owner, bucket, "s3:TagResource", Condition={"StringEquals": {"aws:RequestTag/team": "blue"}})
    for named in (account_id, stranger_account["id"]):
        stranger.tag_resource(AccountId=named, ResourceArn=arn(bucket), Tags=BLUE)
    with refused("AccessDenied", 403):
        stranger.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=[{"Key": "team", "Value": "red"}])
    with refused("AccessDenied", 403):
        stranger.untag_resource(AccountId=account_id, ResourceArn=arn(bucket), TagKeys=["team"])
    assert tags_of(owner, bucket) == {"team": "blue"}


def test_conditions_see_the_tags_that_come_and_go(owner: Any, control: Any, account_id: str, bucket: str) -> None:
    about = {"AccountId": account_id, "ResourceArn": arn(bucket)}
    others = {"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team", "env"]}}
    control.tag_resource(**about, Tags=[*BLUE, {"Key": "kept", "Value": "1"}])
    allow_by_bucket(owner, bucket, "s3:TagResource", "s3:UntagResource", Effect="Deny", Condition=others)
    control.tag_resource(**about, Tags=[*BLUE, {"Key": "env", "Value": "x"}])
    with refused("AccessDenied", 403):
        control.tag_resource(**about, Tags=[*BLUE, {"Key": "other", "Value": "x"}])
    with refused("AccessDenied", 403):
        control.untag_resource(**about, TagKeys=["team", "kept"])
    control.untag_resource(**about, TagKeys=["team"])
    allow_by_bucket(
        owner, bucket, "s3:UntagResource", Effect="Deny", Condition={"StringEquals": {"aws:RequestTag/env": ""}}
    )
    with refused("AccessDenied", 403):
        control.untag_resource(**about, TagKeys=["env"])
    assert tags_of(owner, bucket) == {"env": "x", "kept": "1"}


def test_a_bucket_is_made_with_tags_by_who_may_tag_it(live: LiveSystem, iam: Any, owner: Any) -> None:
    tagged = {"StringEquals": {"aws:RequestTag/team": "blue"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    maker = make_user(iam, allow("s3:CreateBucket"), allow("s3:TagResource", Condition=tagged)).keys.client(live)
    strict = make_user(iam, allow("s3:*"), deny("s3:CreateBucket", Condition={"Null": {"aws:RequestTag/team": "true"}}))
    strictly = strict.keys.client(live)

    def make(client: Any, *tags: dict[str, str]) -> str:
        name = unique("test")
        return refusal(lambda: client.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": list(tags)}))

    name = unique("test")
    becomes(lambda: maker.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": BLUE}), "")
    assert tags_of(owner, name) == {"team": "blue"}
    assert owner.get_bucket_abac(Bucket=name)["AbacStatus"] == OFF
    assert make(maker) == ""
    assert make(maker, {"Key": "team", "Value": "red"}) == "AccessDenied"
    assert make(maker, *BLUE, {"Key": "other", "Value": "x"}) == "AccessDenied"
    assert make(strictly) == "AccessDenied"
    assert make(strictly, *BLUE) == ""


# What means S3 Control, and what means S3


def test_its_clients_are_heard_below_the_domain_of_virtual_hosts(
    owner: Any, control_of: Callable[..., Any], account_id: str, bucket: str
) -> None:
    control_of(host=DOMAIN).tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=BLUE)
    assert tags_of(owner, bucket) == {"team": "blue"}


def test_a_bucket_named_like_the_version_keeps_its_keys(owner: Any, wire: Wire, account_id: str, bucket: str) -> None:
    owner.create_bucket(Bucket="v20180820")
    path = f"/v20180820/tags/{arn(bucket)}"
    assert wire.send("PUT", path, body=b"x").status == 200
    assert wire.send("GET", path).body == b"x"
    # By a host that names another bucket it is a key, too, whatever the header.
    below = wire.as_host(f"{bucket}.{DOMAIN}")
    assert below.send("PUT", path, headers={"x-amz-account-id": account_id}, body=b"y").status == 200
    assert owner.get_object(Bucket=bucket, Key=path[1:])["Body"].read() == b"y"
    assert wire.send("DELETE", path).status == 204


def test_a_link_to_such_a_key_is_no_request_to_s3_control(
    owner: Any, wire: Wire, unsigned_wire: Wire, account_id: str, bucket: str
) -> None:
    owner.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": BLUE})
    assert wire.credentials is not None
    link = presign_v4(
        wire.credentials,
        method="DELETE",
        endpoint=f"http://{wire.host}",
        path=f"/v20180820/tags/{arn(bucket)}",
        query=[("tagKeys", "team")],
        now=datetime.now(UTC),
        expires_seconds=60,
    )
    parts = urlsplit(link)
    headers = {"x-amz-account-id": account_id}
    assert unsigned_wire.send_as_is("DELETE", f"{parts.path}?{parts.query}", headers=headers).status == 403
    assert tags_of(owner, bucket) == {"team": "blue"}


def test_an_error_is_one_of_s3_control(wire: Wire, account_id: str, bucket: str) -> None:
    headers = {"x-amz-account-id": account_id}
    path = f"/v20180820/tags/{arn(bucket)}"
    answer = wire.send("PUT", path, headers=headers)
    assert (answer.status, answer.document.tag) == (405, "ErrorResponse")
    assert answer.document.findtext("Error/Code") == "MethodNotAllowed"
    assert answer.document.findtext("RequestId") == answer.headers["x-amz-request-id"]
    for method, query, body, code in [
        ("DELETE", [], b"", "InvalidArgument"),
        ("POST", [], b"", "MissingRequestBodyError"),
        ("POST", [], b"<TagResourceRequest/>", "MalformedXML"),
        ("POST", [], b"<TagResourceRequest><Tags><Tag><Key>k</Key></Tag></Tags></TagResourceRequest>", "MalformedXML"),
        ("GET", [("acl", "")], b"", "InvalidRequest"),
        ("POST", [("x-objstore-undelete", "")], b"", "MissingRequestBodyError"),
    ]:
        answer = wire.send(method, path, query=query, headers=headers, body=body)
        assert answer.code == code, (method, query, body)


def test_the_audit_log_knows_the_bucket(live: LiveSystem, control: Any, account_id: str, bucket: str) -> None:
    control.tag_resource(AccountId=account_id, ResourceArn=arn(bucket), Tags=BLUE)
    [row] = wait_for_rows(live, 1, "--bucket", bucket, "--operation", "TagResource")
    assert row["action"] == "s3:TagResource"
