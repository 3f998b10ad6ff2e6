"""HTTP itself: connections, 100 Continue, odd headers; and operations that nobody serves, which change nothing."""

from __future__ import annotations

import http.client
import socket
from typing import Any

import pytest

import buckets.operations
import objects.operations  # noqa: F401  registers the operations
from s3protocol.registry import REGISTRY
from s3protocol.routes import RESERVED_NAMES, ROUTES, Level, Route
from tests.s3.wire import Answer, Wire, read_answer

assert buckets.operations
UNSERVED = [
    route
    for route in ROUTES
    if route.operation not in REGISTRY and route.operation not in {"PostObject", "WriteGetObjectResponse"}
]


def request_for(route: Route, bucket: str) -> tuple[str, str, list[tuple[str, str]], dict[str, str]]:
    """Return method, path, query and headers of a request that the route matches."""
    path = {Level.SERVICE: "/", Level.BUCKET: f"/{bucket}", Level.OBJECT: f"/{bucket}/k"}[route.level]
    query = [] if route.subresource is None else [(route.subresource, "")]
    query += [(name, "x") for name in route.companions]
    if route.value is not None:
        query = [(name, value) for name, value in query if name != route.value[0]] + [route.value]
    return route.method, path, query, {route.header: "x"} if route.header else {}


@pytest.fixture(scope="module")
def home(owner: Any, new_bucket: Any) -> str:
    """A bucket with the object `k`, which no test here may change."""
    name: str = new_bucket()
    owner.put_object(Bucket=name, Key="k", Body=b"kept")
    return name


def is_untouched(client: Any, bucket: str) -> bool:
    listed = client.list_objects_v2(Bucket=bucket)["Contents"]
    body: bytes = client.get_object(Bucket=bucket, Key="k")["Body"].read()
    return [item["Key"] for item in listed] == ["k"] and body == b"kept"


@pytest.mark.parametrize("route", UNSERVED, ids=lambda route: route.operation)
def test_what_is_not_served_says_so(wire: Wire, owner: Any, home: str, route: Route) -> None:
    method, path, query, headers = request_for(route, home)
    answer = wire.send(method, path, query=query, headers=headers, body=b"<x/>" if method in {"PUT", "POST"} else b"")
    assert answer.refusal == (501, "NotImplemented")
    assert is_untouched(owner, home)


@pytest.mark.parametrize("level", [Level.SERVICE, Level.BUCKET, Level.OBJECT])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_no_reserved_name_falls_through_to_the_bare_operation(
    wire: Wire, owner: Any, home: str, method: str, level: Level
) -> None:
    """Each name is sent where no route takes it; the answer must be a refusal, and nothing may change."""
    path = {Level.SERVICE: "/", Level.BUCKET: f"/{home}", Level.OBJECT: f"/{home}/k"}[level]
    for name in sorted(RESERVED_NAMES):
        if any(route.subresource == name and (route.method, route.level) == (method, level) for route in ROUTES):
            continue
        if (name, level, method) == ("partNumber", Level.OBJECT, "GET"):
            continue  # reads one part
        answer = wire.send(method, path, query=[(name, "1")], body=b"x" if method in {"PUT", "POST"} else b"")
        assert answer.status in {400, 404, 405, 501}, name
        assert answer.code, name
    assert is_untouched(owner, home)


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "LINK", "get", "X" * 40])
def test_a_method_that_s3_does_not_know_is_refused(wire: Wire, owner: Any, home: str, method: str) -> None:
    for path in ("/", f"/{home}", f"/{home}/k"):
        assert wire.send(method, path).refusal == (405, "MethodNotAllowed")
    assert is_untouched(owner, home)


def test_what_a_method_not_allowed_would_allow_is_told(wire: Wire, home: str) -> None:
    answer = wire.send("POST", f"/{home}/k")
    assert answer.refusal == (405, "MethodNotAllowed")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "PUT", "DELETE"}


def test_two_sub_resources_at_once_are_refused(wire: Wire, home: str) -> None:
    answer = wire.send("GET", f"/{home}/k", query=[("acl", ""), ("tagging", "")])
    assert answer.refusal == (400, "InvalidArgument")


def test_a_parameter_that_s3_does_not_know_is_ignored(wire: Wire, home: str) -> None:
    assert wire.send("GET", f"/{home}/k", query=[("x-id", "GetObject"), ("nonsense", "1")]).body == b"kept"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms:dsse"},
        {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2050-01-01T00:00:00Z"},
    ],
)
def test_a_wish_that_is_not_served_is_never_ignored(wire: Wire, owner: Any, home: str, headers: dict[str, str]) -> None:
    answer = wire.send("PUT", f"/{home}/k", headers=headers, body=b"x")
    assert answer.status >= 400
    assert answer.code in {"NotImplemented", "InvalidArgument", "InvalidRequest"}
    assert is_untouched(owner, home)


# 100 Continue


def expecting(wire: Wire, path: str, body: bytes, headers: dict[str, str]) -> tuple[bool, Answer]:
    """Send headers, wait for the server, and send the body if it says so; tell whether it did."""
    lines = [f"PUT {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, f"content-length: {len(body)}", "expect: 100-continue", "", ""])
    with socket.create_connection(wire.address, timeout=10) as connection:
        connection.sendall(head.encode("latin-1"))
        first = connection.recv(65_536, socket.MSG_PEEK)
        if not first.startswith(b"HTTP/1.1 100"):
            return False, read_answer(connection, "PUT")
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += connection.recv(1)
        connection.sendall(body)
        return True, read_answer(connection, "PUT")


def test_an_upload_that_may_come_is_asked_for(wire: Wire, owner: Any, bucket: str) -> None:
    body = b"x" * 100_000
    headers = wire.signed_headers("PUT", f"/{bucket}/k", body=body)
    was_asked_for, answer = expecting(wire, f"/{bucket}/k", body, headers)
    assert (was_asked_for, answer.status) == (True, 200)
    assert owner.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(body)


def test_an_upload_that_is_refused_is_not_asked_for(unsigned_wire: Wire, bucket: str) -> None:
    was_asked_for, answer = expecting(unsigned_wire, f"/{bucket}/k", b"x" * 100_000, {"host": unsigned_wire.host})
    assert (was_asked_for, answer.refusal) == (False, (403, "AccessDenied"))
    assert answer.headers["connection"] == "close"


def test_an_expected_upload_of_nothing_ends_its_connection(wire: Wire, owner: Any, bucket: str) -> None:
    headers = wire.signed_headers("PUT", f"/{bucket}/k")
    was_asked_for, answer = expecting(wire, f"/{bucket}/k", b"", headers)
    assert (was_asked_for, answer.status, answer.headers["connection"]) == (False, 200, "close")
    assert owner.head_object(Bucket=bucket, Key="k")["ContentLength"] == 0


# Connections


def test_a_connection_serves_many_requests_refused_ones_too(wire: Wire, home: str) -> None:
    connection = http.client.HTTPConnection(*wire.address, timeout=10)
    statuses = []
    for method, path, body in [
        ("GET", f"/{home}/k", b""),
        ("PUT", f"/{home}-none/k", b"x" * 200_000),
        ("HEAD", f"/{home}/missing", b""),
        ("GET", f"/{home}/k", b""),
    ]:
        headers = wire.signed_headers(method, path, body=body)
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        response.read()
        statuses.append(response.status)
    connection.close()
    assert statuses == [200, 404, 404, 200]


def test_health_is_answered_without_a_signature(unsigned_wire: Wire) -> None:
    assert unsigned_wire.send_as_is("GET", "/-/ready").status == 200


def test_a_client_that_goes_away_leaves_nothing(wire: Wire, owner: Any, bucket: str) -> None:
    for size in (10, 700_000, 9 << 20):
        body = b"x" * size
        headers = wire.signed_headers("PUT", f"/{bucket}/k", payload_hash="UNSIGNED-PAYLOAD")
        answer = wire.send_as_is("PUT", f"/{bucket}/k", headers=headers, body=body, length=size + 1)
        assert answer.refusal in {(400, "IncompleteBody"), (0, ""), (400, "")}
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert owner.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
