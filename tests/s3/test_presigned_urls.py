"""Presigned URLs: who holds one may send the request, until it expires, and no other request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

from s3protocol.presign import SigningCredentials, presign_v4
from tests.live.system import LiveSystem
from tests.s3.wire import Answer, Wire


def fetch(wire: Wire, method: str, url: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    split = urlsplit(url)
    return wire.send_as_is(method, f"{split.path}?{split.query}", headers=headers, body=body)


def presign(wire: Wire, method: str, path: str, **arguments: Any) -> str:
    assert wire.credentials is not None
    moment = {"now": datetime.now(UTC), **arguments}
    return presign_v4(wire.credentials, method=method, endpoint=f"http://{wire.host}", path=path, **moment)


@pytest.fixture
def home(owner: Any, bucket: str) -> str:
    """A bucket with the object `k`."""
    owner.put_object(Bucket=bucket, Key="k", Body=b"body", ContentType="text/plain")
    return bucket


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_boto3_s_url_reads_the_object(live: LiveSystem, wire: Wire, home: str, version: str) -> None:
    client = live.client(config=Config(signature_version=version, s3={"addressing_style": "path"}))
    url = client.generate_presigned_url("get_object", {"Bucket": home, "Key": "k"}, ExpiresIn=60)
    assert fetch(wire, "GET", url).body == b"body"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_boto3_s_url_writes_the_object(live: LiveSystem, owner: Any, wire: Wire, home: str, version: str) -> None:
    client = live.client(config=Config(signature_version=version, s3={"addressing_style": "path"}))
    url = client.generate_presigned_url("put_object", {"Bucket": home, "Key": "new"}, ExpiresIn=60)
    assert fetch(wire, "PUT", url, body=b"sent").status == 200
    assert owner.get_object(Bucket=home, Key="new")["Body"].read() == b"sent"


def test_headers_in_a_url_s_query_count_as_sent(live: LiveSystem, owner: Any, wire: Wire, home: str) -> None:
    query = [("X-Amz-Meta-A", "ä"), ("x-amz-tagging", "a=b"), ("x-amz-storage-class", "STANDARD_IA")]
    of_nothing = [("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-sdk-checksum-algorithm", "CRC32")]
    url = presign(wire, "PUT", f"/{home}/four", query=[*query, *of_nothing])
    assert fetch(wire, "PUT", url, body=b"sent").status == 200
    client = live.client(config=Config(signature_version="s3", s3={"addressing_style": "path"}))
    asked = {"Metadata": {"a": "b"}, "Tagging": "a=b", "StorageClass": "STANDARD_IA", "ContentType": "text/html"}
    url = client.generate_presigned_url("put_object", {"Bucket": home, "Key": "two", **asked}, ExpiresIn=60)
    assert fetch(wire, "PUT", url, body=b"sent").status == 200
    for key, value in (("four", "=?utf-8?b?w6Q=?="), ("two", "b")):
        head = owner.head_object(Bucket=home, Key=key)
        assert (head["Metadata"], head["StorageClass"], head["TagCount"]) == ({"a": value}, "STANDARD_IA", 1)
    assert owner.head_object(Bucket=home, Key="two")["ContentType"] == "text/html"


@pytest.mark.parametrize("first", ["content-type=a/b", "content-type=", "x-amz-meta-a=other", "x-amz-acl=public-read"])
def test_what_is_put_before_a_url_s_query_is_not_believed(live: LiveSystem, wire: Wire, home: str, first: str) -> None:
    client = live.client(config=Config(signature_version="s3", s3={"addressing_style": "path"}))
    asked = {"Bucket": home, "Key": "k", "ContentType": "text/html", "Metadata": {"a": "b c"}}
    url = client.generate_presigned_url("put_object", asked, ExpiresIn=60)
    assert fetch(wire, "PUT", url.replace("?", f"?{first}&", 1)).refusal == (403, "SignatureDoesNotMatch")
    assert fetch(wire, "PUT", url).status == 200


def test_a_header_that_is_sent_comes_before_the_one_in_the_query(owner: Any, wire: Wire, home: str) -> None:
    url = presign(wire, "PUT", f"/{home}/k", query=[("x-amz-meta-a", "query")], headers={"x-amz-meta-a": "sent"})
    assert fetch(wire, "PUT", url, headers={"x-amz-meta-a": "sent"}).status == 200
    assert owner.head_object(Bucket=home, Key="k")["Metadata"] == {"a": "sent"}
    unsigned = [("x-amz-meta-a", "b"), ("x-amz-acl", "public-read")]
    assert wire.send("PUT", f"/{home}/k", query=unsigned).status == 200
    assert owner.head_object(Bucket=home, Key="k")["Metadata"] == {}


def test_what_a_url_is_told_to_do_is_done(owner: Any, wire: Wire, home: str) -> None:
    assert (
        fetch(wire, "PUT", presign(wire, "PUT", f"/{home}/copy", query=[("x-amz-copy-source", f"{home}/k")])).status
        == 200
    )
    assert owner.get_object(Bucket=home, Key="copy")["Body"].read() == b"body"
    url = presign(wire, "GET", f"/{home}/k", query=[("x-amz-expected-bucket-owner", "000000000000")])
    assert fetch(wire, "GET", url).refusal == (403, "AccessDenied")
    url = presign(wire, "PUT", f"/{home}/k", query=[("x-amz-meta-a", "a\r\nb")])
    assert fetch(wire, "PUT", url).refusal == (400, "InvalidArgument")


def test_a_url_serves_any_key(owner: Any, wire: Wire, bucket: str) -> None:
    for key in ("a b+c", "ä/€😀", "100%", "?x=1&y", "../up"):
        owner.put_object(Bucket=bucket, Key=key, Body=key.encode())
        assert fetch(wire, "GET", presign(wire, "GET", f"/{bucket}/{key}")).body == key.encode()


def test_a_url_holds_its_overrides(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k", query=[("response-content-type", "text/html")])
    assert fetch(wire, "GET", url).headers["content-type"] == "text/html"


def test_an_expired_url_is_refused(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k", expires_seconds=60, now=datetime.now(UTC) - timedelta(seconds=62))
    answer = fetch(wire, "GET", url)
    assert answer.refusal == (403, "AccessDenied")
    assert answer.document.findtext("Message") == "Request has expired"


def test_a_url_lives_as_long_as_it_says(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k", expires_seconds=120, now=datetime.now(UTC) - timedelta(seconds=60))
    assert fetch(wire, "GET", url).status == 200


def test_a_url_of_the_future_is_refused(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k", now=datetime.now(UTC) + timedelta(hours=1))
    assert fetch(wire, "GET", url).refusal == (403, "AccessDenied")


@pytest.mark.parametrize("seconds", ["604801", "-1", "x", ""])
def test_an_impossible_lifetime_is_refused(wire: Wire, home: str, seconds: str) -> None:
    url = presign(wire, "GET", f"/{home}/k").replace("X-Amz-Expires=3600", f"X-Amz-Expires={seconds}")
    assert fetch(wire, "GET", url).refusal == (400, "AuthorizationQueryParametersError")


def test_a_url_is_good_for_its_method_alone(owner: Any, wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k")
    assert fetch(wire, "DELETE", url).refusal == (403, "SignatureDoesNotMatch")
    assert fetch(wire, "PUT", url, body=b"x").refusal == (403, "SignatureDoesNotMatch")
    assert owner.get_object(Bucket=home, Key="k")["Body"].read() == b"body"


@pytest.mark.parametrize(("old", "new"), [("/k?", "/other?"), ("X-Amz-Expires=3600", "X-Amz-Expires=3601")])
def test_a_changed_url_is_refused(wire: Wire, home: str, old: str, new: str) -> None:
    url = presign(wire, "GET", f"/{home}/k")
    assert old in url
    assert fetch(wire, "GET", url.replace(old, new)).refusal == (403, "SignatureDoesNotMatch")


def test_an_added_parameter_is_refused(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k") + "&versionId=null"
    assert fetch(wire, "GET", url).refusal == (403, "SignatureDoesNotMatch")


def test_a_signed_header_has_to_be_sent_as_signed(wire: Wire, home: str) -> None:
    url = presign(wire, "PUT", f"/{home}/new", headers={"content-type": "text/plain"})
    assert fetch(wire, "PUT", url, headers={"content-type": "text/html"}).refusal == (403, "SignatureDoesNotMatch")
    assert fetch(wire, "PUT", url).refusal == (403, "SignatureDoesNotMatch")
    assert fetch(wire, "PUT", url, headers={"content-type": "text/plain"}).status == 200


def test_a_signed_header_may_have_underscores(owner: Any, wire: Wire, home: str) -> None:
    metadata = {"x-amz-meta-user_id": "1"}
    assert fetch(wire, "PUT", presign(wire, "PUT", f"/{home}/k", headers=metadata), headers=metadata).status == 200
    assert owner.head_object(Bucket=home, Key="k")["Metadata"] == {"user_id": "1"}
    disguised = {"x_amz_acl": "public-read"}
    assert fetch(wire, "PUT", presign(wire, "PUT", f"/{home}/k", headers=disguised), headers=disguised).status == 200
    assert len(owner.get_object_acl(Bucket=home, Key="k")["Grants"]) == 1


def test_an_unsigned_amz_header_is_refused(owner: Any, wire: Wire, home: str) -> None:
    url = presign(wire, "PUT", f"/{home}/new")
    assert fetch(wire, "PUT", url, headers={"x-amz-meta-evil": "1"}).refusal == (403, "AccessDenied")
    assert fetch(wire, "PUT", url, headers={"x-amz-copy-source": f"{home}/k"}).refusal == (403, "AccessDenied")
    assert owner.list_objects_v2(Bucket=home)["KeyCount"] == 1


@pytest.mark.parametrize("name", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"])
def test_a_url_without_one_of_its_parameters_is_refused(wire: Wire, home: str, name: str) -> None:
    url = presign(wire, "GET", f"/{home}/k")
    kept = "&".join(pair for pair in urlsplit(url).query.split("&") if not pair.startswith(name))
    answer = wire.send_as_is("GET", f"/{home}/k?{kept}")
    assert answer.refusal == (400, "AuthorizationQueryParametersError")


def test_a_url_and_a_header_at_once_are_refused(wire: Wire, home: str) -> None:
    url = presign(wire, "GET", f"/{home}/k")
    headers = wire.signed_headers("GET", f"/{home}/k")
    assert fetch(wire, "GET", url, headers=headers).refusal == (400, "InvalidArgument")


def test_a_stranger_s_url_opens_nothing(wire: Wire, stranger_credentials: SigningCredentials, home: str) -> None:
    url = presign(Wire(wire.address, wire.host, stranger_credentials), "GET", f"/{home}/k")
    assert fetch(wire, "GET", url).refusal == (403, "AccessDenied")


def test_a_url_s_body_is_not_signed(owner: Any, wire: Wire, home: str) -> None:
    url = presign(wire, "PUT", f"/{home}/new")
    for body in (b"one", b"two"):
        assert fetch(wire, "PUT", url, body=body).status == 200
        assert owner.get_object(Bucket=home, Key="new")["Body"].read() == body
