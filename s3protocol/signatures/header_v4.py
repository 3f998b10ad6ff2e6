"""Reading a Version 4 signature from the Authorization header.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final, NoReturn

from s3protocol import errors, timestamps
from s3protocol.signatures.credentials import (
    AcceptedScope,
    MalformedCredentialError,
    check_scope_date,
    parse_credential,
    parse_signed_headers,
)
from s3protocol.signatures.payloads import CONTENT_SHA256_HEADER, parse_payload_declaration
from s3protocol.signatures.presented import PayloadDeclaration, PayloadMode, PresentedSignature, SignatureKind

_CACHED_MAX: Final = 4096
_CACHED_LENGTH_MAX: Final = 512


def read(components_text: str, headers: Mapping[str, str], accepted: AcceptedScope) -> PresentedSignature:
    """Read what follows "AWS4-HMAC-SHA256 " in the header; the errors are those of `read_signature`."""
    head, _, signature = components_text.rpartition("Signature=")
    if head.endswith((", ", ",")) and "," not in signature and len(head) <= _CACHED_LENGTH_MAX:
        components = {**_split_cached(head), "Signature": signature.strip()}
    else:
        components = _split(components_text)  # the signature does not stand last
    _check_complete(components)
    signed_headers = parse_signed_headers(components["SignedHeaders"])
    if signed_headers is None:
        _refuse("the SignedHeaders component is not a list of header names.")
    timestamp_text, timestamp = read_request_time(headers)
    try:
        access_key_id, scope = parse_credential(components["Credential"], accepted)
        check_scope_date(scope, timestamps.format_basic(timestamp))
    except MalformedCredentialError as malformed:
        _refuse(malformed.problem, **malformed.members)
    payload, canonical_payload = _read_payload(headers, accepted.service)
    return PresentedSignature(
        kind=SignatureKind.HEADER_V4,
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=signed_headers,
        signature=components["Signature"],
        timestamp=timestamp,
        timestamp_text=timestamp_text,
        expires_seconds=None,
        session_token=headers.get("x-amz-security-token"),
        payload=payload,
        canonical_payload=canonical_payload,
    )


def read_request_time(headers: Mapping[str, str]) -> tuple[str, datetime]:
    """Read x-amz-date, else Date, in the basic form or as an HTTP date: text and value. AccessDenied if none."""
    text = headers.get("x-amz-date", headers.get("date", ""))
    try:
        return text, timestamps.parse_basic(text) if text.endswith("Z") else timestamps.parse_http_date(text)
    except ValueError as error:
        message = "AWS authentication requires a valid Date or x-amz-date header"
        raise errors.AccessDenied(message) from error


def _split(text: str) -> dict[str, str]:
    """Split "Credential=…, SignedHeaders=…, Signature=…"; some clients leave the spaces out."""
    components: dict[str, str] = {}
    for component in text.split(","):
        name, _, value = component.strip().partition("=")
        components[name] = value
    return components


# What precedes the signature is the same in all requests of a client.
_split_cached = lru_cache(maxsize=_CACHED_MAX)(_split)


def _check_complete(components: Mapping[str, str]) -> None:
    if not (components.get("Credential") and components.get("SignedHeaders") and components.get("Signature")):
        _refuse("the authorization header requires three components: Credential, SignedHeaders, and Signature.")


def _read_payload(headers: Mapping[str, str], service: str) -> tuple[PayloadDeclaration, str | None]:
    value = headers.get(CONTENT_SHA256_HEADER)
    if value is not None:
        return parse_payload_declaration(value), value
    if service != "s3":
        return PayloadDeclaration(PayloadMode.SIGNED), None
    raise errors.InvalidRequest(f"Missing required header for this request: {CONTENT_SHA256_HEADER}")


def _refuse(problem: str, **members: str) -> NoReturn:
    raise errors.AuthorizationHeaderMalformed(
        f"The authorization header is malformed; {problem}", headers=None, **members
    ) from None
