"""Uploads in the aws-chunked framing, as clients of all kinds send them: signed chunks, trailers, both, neither.

The framing and its signatures are written down here anew from AWS's pages, not taken from the server's own code:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.s3.wire import Answer, Wire, target

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
MODES = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Upload:
    """A framed request, ready to be sent or spoilt first."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def send(self, wire: Wire) -> Answer:
        """Send it."""
        return wire.send_as_is("PUT", target(self.path), headers=self.headers, body=self.body)


def framed(
    wire: Wire,
    path: str,
    chunks: Sequence[bytes],
    *,
    mode: str,
    trailers: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    declared_length: int | None = None,
) -> Upload:
    """Sign the request, frame the chunks and, where the mode says so, sign each of them."""
    payload_length = sum(map(len, chunks))
    named = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(payload_length if declared_length is None else declared_length),
        **({"x-amz-trailer": ",".join(name for name, _ in trailers)} if trailers else {}),
        **(headers or {}),
    }
    sent = wire.signed_headers("PUT", path, headers=named, payload_hash=mode)
    sign = _Chain(wire, sent) if mode != UNSIGNED_TRAILER else None
    body = b"".join(_frame(chunk, sign) for chunk in [*chunks, b""])
    lines = [f"{name}:{value}" for name, value in trailers]
    if mode == SIGNED_TRAILER:
        assert sign is not None
        lines.append(f"x-amz-trailer-signature:{sign.trailer(lines)}")
    body += "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"
    return Upload(path, sent, body)


def _frame(chunk: bytes, sign: _Chain | None) -> bytes:
    header = f"{len(chunk):x}"
    if sign is not None:
        header += f";chunk-signature={sign.chunk(chunk)}"
    return header.encode() + b"\r\n" + (chunk + b"\r\n" if chunk else b"")


class _Chain:
    """The signatures of a body, each over the one before."""

    def __init__(self, wire: Wire, headers: Mapping[str, str]) -> None:
        assert wire.credentials is not None
        self.timestamp = headers["x-amz-date"]
        self.scope = f"{self.timestamp[:8]}/{wire.credentials.region}/s3/aws4_request"
        self.previous = headers["authorization"].rpartition("Signature=")[2]
        self.key = f"AWS4{wire.credentials.secret_key}".encode()
        for part in self.scope.split("/"):
            self.key = hmac.digest(self.key, part.encode(), "sha256")

    def chunk(self, payload: bytes) -> str:
        """Sign a chunk."""
        return self._sign("AWS4-HMAC-SHA256-PAYLOAD", EMPTY_SHA256, hashlib.sha256(payload).hexdigest())

    def trailer(self, lines: Sequence[str]) -> str:
        """Sign the trailing headers."""
        text = "".join(f"{line}\n" for line in lines)
        return self._sign("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(text.encode()).hexdigest())

    def _sign(self, algorithm: str, *hashes: str) -> str:
        text = "\n".join([algorithm, self.timestamp, self.scope, self.previous, *hashes])
        self.previous = hmac.digest(self.key, text.encode(), "sha256").hex()
        return self.previous
