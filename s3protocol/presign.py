"""Making Version 4 signatures: presigned URLs for the console, signed headers for tests, benchmarks and health checks.

Not for: verifying (`signatures`), whose canonicalisation this uses, so that the two directions cannot drift apart.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

from s3protocol import timestamps
from s3protocol.signatures import canonical
from s3protocol.signatures.presented import CredentialScope
from s3protocol.signatures.query_v4 import EXPIRES_SECONDS_MAX

_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class SigningCredentials:
    """Who signs, and where the signature is to hold."""

    access_key_id: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str = "us-east-1"
    service: str = "s3"


def presign_v4(
    credentials: SigningCredentials,
    *,
    method: str,
    endpoint: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    expires_seconds: int = 3600,
    now: datetime,
) -> str:
    """Make a presigned URL; anyone who holds it may send the request until it expires.

    `endpoint` is scheme and host (https://s3.example.org:9000), without a slash behind it; `path` and `query` are not
    encoded. `headers` are those that the request must carry with just these values. A week is the longest life.
    """
    assert 0 < expires_seconds <= EXPIRES_SECONDS_MAX
    all_headers = _lower_names(headers) | {"host": _host(endpoint)}
    names = canonical.sorted_names(all_headers)
    scope, timestamp_text = _scope(credentials, now)
    parameters = [
        *query,
        ("X-Amz-Algorithm", canonical.ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key_id}/{scope.text}"),
        ("X-Amz-Date", timestamp_text),
        ("X-Amz-Expires", str(expires_seconds)),
        ("X-Amz-SignedHeaders", ";".join(names)),
    ]
    if credentials.session_token:
        parameters.append(("X-Amz-Security-Token", credentials.session_token))
    raw_query = encode_query(parameters)
    encoded_path = canonical.canonical_path(path)
    request_text = canonical.canonical_request(
        method,
        encoded_path,
        canonical.canonical_query(raw_query),
        names=names,
        headers=all_headers,
        payload_hash=canonical.UNSIGNED_PAYLOAD,
    )
    signature = _sign(credentials, scope, timestamp_text, request_text)
    return f"{endpoint}{encoded_path}?{raw_query}&{canonical.SIGNATURE_PARAMETER}={signature}"


def sign_request_v4(
    credentials: SigningCredentials,
    *,
    method: str,
    endpoint: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    payload: bytes | None = b"",
    payload_hash: str | None = None,
    now: datetime,
) -> dict[str, str]:
    """Give the headers of a signed request, lower-case: the given ones, host and those of the signature.

    `payload` None is an UNSIGNED-PAYLOAD; `payload_hash` overrides it (a hash made before, or a streaming mode). The
    request has to be sent as signed: path of `encode_path`, query of `encode_query`.
    """
    if payload_hash is None:
        payload_hash = canonical.UNSIGNED_PAYLOAD if payload is None else hashlib.sha256(payload).hexdigest()
    scope, timestamp_text = _scope(credentials, now)
    signed = _lower_names(headers) | {
        "host": _host(endpoint),
        "x-amz-content-sha256": payload_hash,
        "x-amz-date": timestamp_text,
    }
    if credentials.session_token:
        signed["x-amz-security-token"] = credentials.session_token
    names = canonical.sorted_names(signed)
    request_text = canonical.canonical_request(
        method,
        canonical.canonical_path(path),
        canonical.canonical_query(encode_query(query)),
        names=names,
        headers=signed,
        payload_hash=payload_hash,
    )
    signature = _sign(credentials, scope, timestamp_text, request_text)
    signed["authorization"] = (
        f"{canonical.ALGORITHM} Credential={credentials.access_key_id}/{scope.text}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return signed


def encode_path(path: str) -> str:
    """Encode a path as it is signed."""
    return canonical.canonical_path(path)


def encode_query(parameters: Iterable[tuple[str, str]]) -> str:
    """Encode parameters as a query string that every reader takes for the same."""
    return "&".join([f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in parameters])


def _sign(credentials: SigningCredentials, scope: CredentialScope, timestamp_text: str, request_text: str) -> str:
    key = canonical.signing_key(credentials.secret_key, scope.date_text, scope.region, scope.service)
    return canonical.sign(key, canonical.string_to_sign(timestamp_text, scope.text, request_text))


def _scope(credentials: SigningCredentials, now: datetime) -> tuple[CredentialScope, str]:
    timestamp_text = timestamps.format_basic(now)
    return CredentialScope(timestamp_text[:8], credentials.region, credentials.service), timestamp_text


def _lower_names(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _host(endpoint: str) -> str:
    """Take the Host header out of an endpoint, as HTTP clients send it: without the scheme's own port."""
    scheme, _, host = endpoint.partition("://")
    return host.removesuffix(_DEFAULT_PORTS.get(scheme, ""))
