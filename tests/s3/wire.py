"""Requests that no SDK would send: bytes on a socket, signed or not, and the answer as it came.

Not for: what an ordinary client can say; tests use boto3 for that. Nothing is normalised here: a target is sent as it is
given, and a body may be cut short.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from s3protocol.presign import SigningCredentials, encode_path, encode_query, sign_request_v4

Pairs = Sequence[tuple[str, str]]
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> ET.Element:
        """The body as XML."""
        return ET.fromstring(self.body)

    @property
    def code(self) -> str:
        """The code of an error document, wrapped by S3 Control; empty without a body."""
        return (self.document.findtext("Code") or self.document.findtext("Error/Code") or "") if self.body else ""

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code, for comparing both at once."""
        return self.status, self.code


@dataclass(frozen=True, slots=True)
class Wire:
    """A way to the server: its address, the host that requests name, and who signs them (None: nobody)."""

    address: tuple[str, int]
    host: str
    credentials: SigningCredentials | None

    def as_host(self, host: str) -> Wire:
        """Return the same way under another host name."""
        return replace(self, host=host)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Pairs = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        payload_hash: str | None = None,
        now: datetime | None = None,
    ) -> Answer:
        """Send a request, signed if there are credentials; path and query are not encoded."""
        sent = self.signed_headers(
            method, path, query=query, headers=headers, body=body, payload_hash=payload_hash, now=now
        )
        return self.send_as_is(method, target(path, query), headers=sent, body=body)

    def signed_headers(
        self,
        method: str,
        path: str,
        *,
        query: Pairs = (),
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        payload_hash: str | None = None,
        now: datetime | None = None,
    ) -> dict[str, str]:
        """Return the headers that `send` would send."""
        if self.credentials is None:
            return dict(headers or {})
        return sign_request_v4(
            self.credentials,
            method=method,
            endpoint=f"http://{self.host}",
            path=path,
            query=query,
            headers=headers,
            payload=body,
            payload_hash=payload_hash,
            now=now or datetime.now(UTC),
        )

    def send_as_is(
        self,
        method: str,
        raw_target: str | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        length: int | None = None,
    ) -> Answer:
        """Send a request just so. A `length` longer than the body makes a client that goes away before it is done."""
        all_headers = {"host": self.host, **(headers or {})}
        names = {name.lower() for name in all_headers}
        if "content-length" not in names and "transfer-encoding" not in names:
            all_headers["content-length"] = str(len(body) if length is None else length)
        raw = raw_target if isinstance(raw_target, bytes) else raw_target.encode("latin-1")
        lines = [method.encode("latin-1") + b" " + raw + b" HTTP/1.1"]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in all_headers.items()]
        return self.exchange(method, [b"\r\n".join([*lines, b"", b""]), body], is_cut_short=length is not None)

    def exchange(self, method: str, pieces: Iterable[bytes], *, is_cut_short: bool = False) -> Answer:
        """Send bytes, read one response; status 0 if the connection was closed without one."""
        with socket.create_connection(self.address, timeout=TIMEOUT_SECONDS) as connection:
            # A server that has refused a request need not read it to its end.
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
            if is_cut_short:
                connection.shutdown(socket.SHUT_WR)
            return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str) -> Answer:
    """Read one response from a socket; status 0 if there is none."""
    response = http.client.HTTPResponse(connection, method=method)
    try:
        response.begin()
        body = response.read()
    except (http.client.BadStatusLine, ConnectionResetError):
        return Answer(0, {}, b"")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body)


def target(path: str, query: Pairs = ()) -> str:
    """Encode path and query as they are signed."""
    return encode_path(path) + ("?" + encode_query(query) if query else "")
