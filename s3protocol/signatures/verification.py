"""Verifying a signature: that it is in time, covers what it must, and is the one that the secret key makes.

Not for: finding the secret key and checking the session token (`accesscontrol`), and the body, whose hash or chunk
signatures are checked as it arrives.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from s3protocol import errors, timestamps
from s3protocol.signatures import canonical, version_2
from s3protocol.signatures.payloads import CONTENT_SHA256_HEADER
from s3protocol.signatures.presented import (
    CredentialScope,
    PresentedSignature,
    ReceivedRequest,
    SignatureKind,
    SigningContext,
)

SKEW_MAX: Final = timedelta(minutes=15)

_PRINTABLE = re.compile(r"[!-~]+")


def verify_signature(
    presented: PresentedSignature,
    *,
    secret_key: str,
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    now: datetime,
    raw_path: str | None = None,
    virtual_host_bucket: str | None = None,
    body_sha256_hex: str | None = None,
) -> SigningContext | None:
    """Check a presented signature against the request; None for Version 2, which signs no chunks of a body.

    `path` is the request's path percent-decoded as UTF-8, other bytes as surrogate escapes; `raw_path` the path as it
    was sent, for clients that sign it so. `virtual_host_bucket` is the bucket that the Host header named, if it did:
    Version 2 signs it. `body_sha256_hex` is needed where `presented.canonical_payload` is None in Version 4.

    Errors: SignatureDoesNotMatch, AccessDenied (expired, not valid yet, headers not signed), RequestTimeTooSkewed.
    """
    check_time(presented, now)
    request = ReceivedRequest(method, path, raw_query, headers, raw_path, virtual_host_bucket)
    if presented.scope is None:
        _verify_version_2(presented, request, secret_key)
        return None
    _check_coverage(presented, headers)
    payload_hash = presented.canonical_payload or body_sha256_hex or ""
    return _verify_version_4(presented, presented.scope, request, secret_key, payload_hash)


def check_time(presented: PresentedSignature, now: datetime) -> None:
    """Check a signature's age. RequestTimeTooSkewed for headers, AccessDenied for presigned URLs."""
    age = now - presented.timestamp
    if presented.kind is SignatureKind.QUERY_V4:
        _check_presigned_time(presented, now, age)
    elif presented.kind is SignatureKind.QUERY_V2:
        if age > timedelta(0):
            raise _expired(presented.timestamp, now)
    elif abs(age) > SKEW_MAX:
        raise errors.RequestTimeTooSkewed(
            "The difference between the request time and the current time is too large.",
            RequestTime=presented.timestamp_text,
            ServerTime=timestamps.format_iso8601_seconds(now),
            MaxAllowedSkewMilliseconds=str(int(SKEW_MAX.total_seconds() * 1000)),
        )


def _check_presigned_time(presented: PresentedSignature, now: datetime, age: timedelta) -> None:
    if -age > SKEW_MAX:
        raise errors.AccessDenied(
            "Request is not valid yet",
            ServerTime=timestamps.format_iso8601_seconds(now),
            headers=None,
            **{"X-Amz-Date": presented.timestamp_text},
        )
    lifetime = timedelta(seconds=presented.expires_seconds or 0)
    if age > lifetime:
        raise _expired(presented.timestamp + lifetime, now, **{"X-Amz-Expires": str(presented.expires_seconds)})


def _expired(expired_at: datetime, now: datetime, **members: str) -> errors.AccessDenied:
    return errors.AccessDenied(
        "Request has expired",
        headers=None,
        **members,
        Expires=timestamps.format_iso8601_seconds(expired_at),
        ServerTime=timestamps.format_iso8601_seconds(now),
    )


def _check_coverage(presented: PresentedSignature, headers: Mapping[str, str]) -> None:
    """Check that the host and every x-amz-* header are signed; the payload's hash has a line of its own."""
    signed = presented.signed_headers
    unsigned = [
        name for name in headers if name.startswith("x-amz-") and name not in signed and name != CONTENT_SHA256_HEADER
    ]
    if "host" not in signed:
        unsigned.insert(0, "host")
    if unsigned:
        raise errors.AccessDenied(
            "There were headers present in the request which were not signed", HeadersNotSigned=", ".join(unsigned)
        )


def _verify_version_4(
    presented: PresentedSignature,
    scope: CredentialScope,
    request: ReceivedRequest,
    secret_key: str,
    payload_hash: str,
) -> SigningContext:
    timestamp_text = timestamps.format_basic(presented.timestamp)
    key = canonical.signing_key(secret_key, scope.date_text, scope.region, scope.service)
    texts = []
    for request_text in _canonical_requests(presented, request, payload_hash):
        text = canonical.string_to_sign(timestamp_text, scope.text, request_text)
        if canonical.is_same_signature(canonical.sign(key, text), presented.signature):
            return SigningContext(key, presented.signature, scope, presented.timestamp, timestamp_text)
        texts.append((text, request_text))
    raise _mismatch(presented, *texts[0])


def _canonical_requests(presented: PresentedSignature, request: ReceivedRequest, payload_hash: str) -> Iterator[str]:
    """Yield the canonical request, then the one of clients that sign the path just as they send it.

    The raw path decodes to the same path, so both mean the same request.
    """
    query = canonical.canonical_query(
        request.raw_query,
        leave_out=canonical.SIGNATURE_PARAMETER if presented.kind is SignatureKind.QUERY_V4 else None,
    )
    paths = [canonical.canonical_path(request.path)]
    raw_path = request.raw_path
    if raw_path is not None and raw_path != paths[0] and _PRINTABLE.fullmatch(raw_path):
        paths.append(raw_path)
    for path in paths:
        yield canonical.canonical_request(
            request.method,
            path,
            query,
            names=presented.signed_headers,
            headers=request.headers,
            payload_hash=payload_hash,
        )


def _verify_version_2(presented: PresentedSignature, request: ReceivedRequest, secret_key: str) -> None:
    texts = []
    for text in version_2.strings_to_sign(presented, request):
        if canonical.is_same_signature(version_2.sign(secret_key, text), presented.signature):
            return
        texts.append(text)
    raise _mismatch(presented, texts[0])


def _mismatch(
    presented: PresentedSignature, text: str, request_text: str | None = None
) -> errors.SignatureDoesNotMatch:
    """Answer with what was signed here, as S3 does, so that the author of a client can find the difference."""
    members = {
        "AWSAccessKeyId": presented.access_key_id,
        "StringToSign": text,
        "SignatureProvided": presented.signature,
        "StringToSignBytes": canonical.raw_bytes(text).hex(" "),
    }
    if request_text is not None:
        members["CanonicalRequest"] = request_text
        members["CanonicalRequestBytes"] = canonical.raw_bytes(request_text).hex(" ")
    return errors.SignatureDoesNotMatch(headers=None, **members)
