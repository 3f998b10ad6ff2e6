"""Requests that two parsers would read differently, and values that would break out of a header: none gets through."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.s3.wire import Wire

pytestmark = pytest.mark.live

SMUGGLED = b"GET /smuggled-bucket/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


def exchange(wire: Wire, raw: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes or is silent."""
    with socket.create_connection(wire.address, timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except TimeoutError:
            pass
        return received


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: 5\r\ncontent-length: 50\r\n",
        b"content-length: 5, 50\r\n",
        b"content-length: +5\r\n",
        b"content-length: 0x5\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"transfer-encoding : chunked\r\n",
        b"content-length : 5\r\n",
        b"x: y\r\n transfer-encoding: chunked\r\n",
        b"transfer-encoding: \x0bchunked\r\n",
    ],
)
def test_no_second_request_is_found_in_a_body(wire: Wire, headers: bytes) -> None:
    body = b"0\r\n\r\n" + SMUGGLED
    head = b"POST /carrier-bucket/k HTTP/1.1\r\nhost: x\r\n" + headers + b"\r\n"
    answer = exchange(wire, head + body)
    # At most one of the two readings is served; never is the body's own request answered beside a served carrier.
    statuses = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert b"smuggled-bucket" not in answer or statuses[0].split()[1] in (b"400", b"403", b"404")
    assert all(status.split()[1][:1] != b"2" for status in statuses)
    assert all(status.split()[1] != b"500" for status in statuses)


@pytest.mark.parametrize("separator", [b"\n", b"\r", b"\r\r\n"])
def test_bare_line_ends_end_no_header(wire: Wire, separator: bytes) -> None:
    answer = exchange(wire, b"GET / HTTP/1.1" + separator + b"host: x" + separator + b"x-a: b" + separator * 2)
    assert b" 500 " not in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "value", ["a\r\nx-injected: 1", "a\nx-injected: 1", "a\r\n\r\n<script>", "a\0b", "\u2028x-injected: 1"]
)
def test_no_value_that_comes_back_splits_a_header(wire: Wire, owner: Any, bucket: str, value: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    for parameter in (
        "response-content-type",
        "response-content-disposition",
        "response-cache-control",
        "response-expires",
    ):
        answer = wire.send("GET", f"/{bucket}/k", query=[(parameter, value)])
        assert "x-injected" not in answer.headers
        assert answer.status in (200, 400)


def test_the_hop_headers_of_a_client_do_not_come_back(wire: Wire, bucket: str) -> None:
    answer = wire.send(
        "GET", f"/{bucket}", headers={"origin": "http://x\tset-cookie: a=b", "x-forwarded-for": "1.2.3.4"}
    )
    assert "set-cookie" not in answer.headers
    assert answer.status == 200
