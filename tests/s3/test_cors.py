"""CORS: what browsers are told about pages of other origins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.s3.refusals import refused
from tests.s3.wire import Answer, Wire

PAGE = "http://page.example"


@pytest.fixture
def shared(owner: Any, bucket: str) -> str:
    """A bucket whose answers pages of one origin may read, and write with headers."""
    rules = [
        {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": ["http://*.example"], "ExposeHeaders": ["ETag"]},
        {
            "AllowedMethods": ["PUT"],
            "AllowedOrigins": [PAGE],
            "AllowedHeaders": ["x-amz-*", "authorization"],
            "MaxAgeSeconds": 60,
        },
    ]
    owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    return bucket


def preflight(wire: Wire, path: str, method: str | None = "GET", origin: str | None = PAGE, asked: str = "") -> Answer:
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": asked}
    return wire.send("OPTIONS", path, headers={name: value for name, value in headers.items() if value})


def allowed(answer: Answer) -> tuple[str | None, str | None]:
    names = "access-control-allow-origin", "access-control-allow-methods"
    return answer.headers.get(names[0]), answer.headers.get(names[1])


def test_rules_are_stored_replaced_and_removed(owner: Any, bucket: str) -> None:
    with refused("NoSuchCORSConfiguration", 404):
        owner.get_bucket_cors(Bucket=bucket)
    rule = {"ID": "r", "AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 5, "ExposeHeaders": ["a"]}
    owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert owner.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    owner.delete_bucket_cors(Bucket=bucket)
    with refused("NoSuchCORSConfiguration", 404):
        owner.get_bucket_cors(Bucket=bucket)


def test_rules_that_are_none_are_refused(owner: Any, bucket: str) -> None:
    for methods, origins in ((["PATCH"], ["*"]), (["GET"], ["*.*"])):
        rule = {"AllowedMethods": methods, "AllowedOrigins": origins}
        with refused("InvalidRequest", 400):
            owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    with refused("MalformedXML", 400):
        owner.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": []})


def test_a_preflight_is_answered_unsigned_by_the_rule_that_fits(unsigned_wire: Wire, shared: str) -> None:
    reading = preflight(unsigned_wire, f"/{shared}/k")
    assert (reading.status, allowed(reading)) == (200, (PAGE, "GET, HEAD"))
    writing = preflight(unsigned_wire, f"/{shared}/k", "PUT", asked="X-Amz-Date,Authorization")
    assert (writing.status, allowed(writing)) == (200, (PAGE, "PUT"))
    assert writing.headers["access-control-allow-headers"] == "x-amz-date, authorization"
    assert writing.headers["access-control-max-age"] == "60"
    assert "Origin" in writing.headers["vary"]


def test_a_preflight_that_no_rule_fits_is_forbidden(unsigned_wire: Wire, shared: str, new_bucket: Any) -> None:
    forbidden = (403, "AccessForbidden")
    assert preflight(unsigned_wire, f"/{shared}", "DELETE").refusal == forbidden
    assert preflight(unsigned_wire, f"/{shared}", origin="http://other.org").refusal == forbidden
    assert preflight(unsigned_wire, f"/{shared}", "PUT", asked="x-other").refusal == forbidden
    assert preflight(unsigned_wire, f"/{new_bucket()}").refusal == forbidden
    assert preflight(unsigned_wire, "/no-such-bucket-here").refusal == forbidden
    assert preflight(unsigned_wire, "/").refusal == forbidden


def test_an_options_request_that_is_no_preflight_is_bad(unsigned_wire: Wire, shared: str) -> None:
    assert preflight(unsigned_wire, f"/{shared}", origin=None).refusal == (400, "BadRequest")
    assert preflight(unsigned_wire, f"/{shared}", None).refusal == (400, "BadRequest")
    assert preflight(unsigned_wire, f"/{shared}", "PATCH").refusal == (400, "BadRequest")


def test_pages_see_answers_and_errors(owner: Any, wire: Wire, unsigned_wire: Wire, shared: str) -> None:
    owner.put_object(Bucket=shared, Key="k", Body=b"x")
    got = wire.send("GET", f"/{shared}/k", headers={"origin": PAGE})
    assert (got.status, allowed(got)) == (200, (PAGE, "GET, HEAD"))
    assert got.headers["access-control-expose-headers"] == "ETag"
    missing = wire.send("GET", f"/{shared}/absent", headers={"origin": PAGE})
    assert (missing.status, allowed(missing)) == (404, (PAGE, "GET, HEAD"))
    denied = unsigned_wire.send("PUT", f"/{shared}/k", headers={"origin": PAGE}, body=b"y")
    assert (denied.status, allowed(denied)) == (403, (PAGE, "PUT"))


def test_other_pages_and_other_requests_are_told_nothing(owner: Any, wire: Wire, shared: str, new_bucket: Any) -> None:
    owner.put_object(Bucket=shared, Key="k", Body=b"x")
    assert allowed(wire.send("GET", f"/{shared}/k", headers={"origin": "http://other.org"})) == (None, None)
    assert allowed(wire.send("GET", f"/{shared}/k")) == (None, None)
    assert allowed(wire.send("DELETE", f"/{shared}/k", headers={"origin": PAGE})) == (None, None)
    assert allowed(wire.send("GET", f"/{new_bucket()}", headers={"origin": PAGE})) == (None, None)


def test_a_stranger_neither_reads_nor_changes_rules(stranger: Any, shared: str) -> None:
    with refused("AccessDenied", 403):
        stranger.get_bucket_cors(Bucket=shared)
    with refused("AccessDenied", 403):
        stranger.delete_bucket_cors(Bucket=shared)
