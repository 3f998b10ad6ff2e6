"""Requests as the bytes that go over the wire, signed before the clock starts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from s3protocol.presign import SigningCredentials, encode_path, encode_query, sign_request_v4

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs requests to one endpoint. A signature holds for a quarter of an hour."""

    host: str  # with the port
    credentials: SigningCredentials

    def head(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        size_bytes: int = 0,
        payload_hash: str = hashlib.sha256(b"").hexdigest(),
        headers: dict[str, str] | None = None,
    ) -> bytes:
        """Return a request up to its body, which has `size_bytes`."""
        query = list(query)
        signed = sign_request_v4(
            self.credentials,
            method=method,
            endpoint=f"http://{self.host}",
            path=path,
            query=query,
            headers=headers,
            payload_hash=payload_hash,
            now=datetime.now(UTC),
        )
        target = encode_path(path) + (f"?{encode_query(query)}" if query else "")
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in signed.items())]
        if method in {"PUT", "POST"}:
            lines.append(f"content-length: {size_bytes}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def request(self, method: str, path: str, *, query: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:
        """Return a whole request; its signature covers the body."""
        payload_hash = hashlib.sha256(body).hexdigest()
        return self.head(method, path, query=query, size_bytes=len(body), payload_hash=payload_hash) + body
