"""Signatures in the Authorization header: every way in which one can be wrong has its own answer."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from s3protocol.presign import SigningCredentials
from tests.live.system import LiveSystem
from tests.s3.refusals import refused
from tests.s3.wire import Wire


@pytest.fixture(scope="module")
def home(owner: Any, new_bucket: Any) -> str:
    """A bucket with the object `k`."""
    name: str = new_bucket()
    owner.put_object(Bucket=name, Key="k", Body=b"body")
    return name


def headers_of(wire: Wire, home: str, **arguments: Any) -> dict[str, str]:
    return wire.signed_headers("GET", f"/{home}/k", **arguments)


def get(wire: Wire, home: str, headers: dict[str, str]) -> Any:
    return wire.send_as_is("GET", f"/{home}/k", headers=headers)


def test_version_2_of_old_clients_is_taken(live: LiveSystem, home: str) -> None:
    client = live.client(config=Config(signature_version="s3", s3={"addressing_style": "path"}))
    assert client.get_object(Bucket=home, Key="k")["Body"].read() == b"body"
    client.put_object(Bucket=home, Key="v2", Body=b"x", Metadata={"a": "1"})
    assert client.head_object(Bucket=home, Key="v2")["Metadata"] == {"a": "1"}


def test_a_wrong_secret_of_version_2_is_refused(live: LiveSystem, home: str) -> None:
    client = live.client(
        aws_secret_access_key="wrong", config=Config(signature_version="s3", s3={"addressing_style": "path"})
    )
    with refused("SignatureDoesNotMatch", 403):
        client.get_object(Bucket=home, Key="k")


def test_a_wrong_secret_is_refused_and_what_was_signed_is_told(wire: Wire, home: str) -> None:
    assert wire.credentials is not None
    wrong = dataclasses.replace(wire, credentials=SigningCredentials(wire.credentials.access_key_id, "wrong"))
    answer = wrong.send("GET", f"/{home}/k")
    assert answer.refusal == (403, "SignatureDoesNotMatch")
    assert answer.document.findtext("AWSAccessKeyId") == wire.credentials.access_key_id
    assert f"/{home}/k" in (answer.document.findtext("CanonicalRequest") or "")
    assert "AWS4-HMAC-SHA256" in (answer.document.findtext("StringToSign") or "")
    assert wire.credentials.secret_key not in answer.body.decode()


def test_an_unknown_key_is_named(wire: Wire, home: str) -> None:
    unknown = dataclasses.replace(wire, credentials=SigningCredentials("NOSUCHKEY", "secret"))
    answer = unknown.send("GET", f"/{home}/k")
    assert answer.refusal == (403, "InvalidAccessKeyId")
    assert answer.document.findtext("AWSAccessKeyId") == "NOSUCHKEY"


@pytest.mark.parametrize("minutes", [-16, 16, 60 * 24 * 7])
def test_a_clock_that_is_off_is_refused(wire: Wire, home: str, minutes: int) -> None:
    answer = wire.send("GET", f"/{home}/k", now=datetime.now(UTC) + timedelta(minutes=minutes))
    assert answer.refusal == (403, "RequestTimeTooSkewed")
    assert answer.document.findtext("MaxAllowedSkewMilliseconds") == "900000"


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_taken(wire: Wire, home: str, minutes: int) -> None:
    assert wire.send("GET", f"/{home}/k", now=datetime.now(UTC) + timedelta(minutes=minutes)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"authorization": "AWS4-HMAC-SHA256 nonsense"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=, SignedHeaders=, Signature="},
    ],
)
def test_a_malformed_header_is_refused(wire: Wire, home: str, changes: dict[str, str]) -> None:
    answer = get(wire, home, headers_of(wire, home) | changes)
    assert answer.refusal == (400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "Bearer token", "x", "AWS4-HMAC-SHA1 Credential=a"])
def test_an_unknown_scheme_is_refused(wire: Wire, home: str, scheme: str) -> None:
    answer = get(wire, home, headers_of(wire, home) | {"authorization": scheme})
    assert answer.refusal == (400, "InvalidArgument")


def test_version_4a_is_not_implemented(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home)
    headers["authorization"] = headers["authorization"].replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
    assert get(wire, home, headers).refusal == (501, "NotImplemented")


@pytest.mark.parametrize(("old", "new"), [("/s3/", "/ec2/"), ("/aws4_request", "/aws5_request")])
def test_a_credential_of_another_scope_is_refused(wire: Wire, home: str, old: str, new: str) -> None:
    headers = headers_of(wire, home)
    headers["authorization"] = headers["authorization"].replace(old, new, 1)
    assert get(wire, home, headers).refusal == (400, "AuthorizationHeaderMalformed")


def test_a_credential_of_another_day_is_refused(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home)
    today = headers["x-amz-date"][:8]
    headers["authorization"] = headers["authorization"].replace(f"/{today}/", "/20200101/")
    assert get(wire, home, headers).refusal == (400, "AuthorizationHeaderMalformed")


def test_a_request_without_a_date_is_refused(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home)
    del headers["x-amz-date"]
    assert get(wire, home, headers).refusal == (403, "AccessDenied")


def test_a_request_that_does_not_declare_its_body_is_refused(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home)
    del headers["x-amz-content-sha256"]
    assert get(wire, home, headers).refusal == (400, "InvalidRequest")


def test_a_body_declared_in_no_known_way_is_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}/k", payload_hash="STREAMING-NONSENSE")
    assert answer.refusal == (400, "InvalidArgument")


def test_an_amz_header_that_is_not_signed_is_refused(wire: Wire, home: str) -> None:
    answer = get(wire, home, headers_of(wire, home) | {"x-amz-meta-a": "1"})
    assert answer.refusal == (403, "AccessDenied")
    assert answer.document.findtext("HeadersNotSigned") == "x-amz-meta-a"


def test_a_changed_signed_header_is_refused(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home, headers={"x-amz-checksum-mode": "ENABLED"})
    assert get(wire, home, headers | {"x-amz-checksum-mode": "DISABLED"}).refusal == (403, "SignatureDoesNotMatch")


def test_a_changed_path_query_or_method_is_refused(wire: Wire, home: str) -> None:
    headers = headers_of(wire, home)
    changed = [("GET", f"/{home}/other"), ("GET", f"/{home}/k?acl"), ("DELETE", f"/{home}/k"), ("GET", f"/{home}//k")]
    for method, raw_target in changed:
        assert wire.send_as_is(method, raw_target, headers=headers).refusal == (403, "SignatureDoesNotMatch")


def test_a_session_token_that_we_did_not_make_is_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}/k", headers={"x-amz-security-token": "made-up"})
    assert answer.refusal[1] in {"InvalidToken", "InvalidAccessKeyId"}
    assert answer.status in {400, 403}


def test_a_signature_for_another_region_is_taken(wire: Wire, home: str) -> None:
    assert wire.credentials is not None
    elsewhere = dataclasses.replace(wire.credentials, region="eu-central-1")
    answer = dataclasses.replace(wire, credentials=elsewhere).send("GET", f"/{home}/k")
    assert answer.status == 200


def test_nobody_is_denied(unsigned_wire: Wire, home: str) -> None:
    for method, raw_target in [("GET", "/"), ("GET", f"/{home}"), ("PUT", f"/{home}/k"), ("DELETE", f"/{home}/k")]:
        assert unsigned_wire.send_as_is(method, raw_target).refusal == (403, "AccessDenied")
