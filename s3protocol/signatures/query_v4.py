"""Reading a Version 4 signature from the query: presigned URLs.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NoReturn

from s3protocol import errors, timestamps
from s3protocol.signatures.canonical import ALGORITHM, UNSIGNED_PAYLOAD
from s3protocol.signatures.credentials import (
    AcceptedScope,
    MalformedCredentialError,
    check_scope_date,
    parse_credential,
    parse_signed_headers,
)
from s3protocol.signatures.payloads import (
    CONTENT_SHA256_HEADER,
    parse_payload_declaration,
    read_payload_declaration,
)
from s3protocol.signatures.presented import PayloadDeclaration, PayloadMode, PresentedSignature, SignatureKind

EXPIRES_SECONDS_MAX: Final = 7 * 24 * 3600

_REQUIRED: Final = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_CONTENT_SHA256_PARAMETER: Final = "X-Amz-Content-Sha256"


def read(query: Mapping[str, str], headers: Mapping[str, str], accepted: AcceptedScope) -> PresentedSignature:
    """Read the X-Amz-* parameters of a decoded query; the errors are those of `read_signature`."""
    _check_parameters(query)
    signed_headers = parse_signed_headers(query["X-Amz-SignedHeaders"])
    if signed_headers is None:
        _refuse("X-Amz-SignedHeaders is not a list of header names")
    timestamp = _parse_date(query["X-Amz-Date"])
    try:
        access_key_id, scope = parse_credential(query["X-Amz-Credential"], accepted)
        check_scope_date(scope, query["X-Amz-Date"])
    except MalformedCredentialError as malformed:
        _refuse(f"Error parsing the X-Amz-Credential parameter; {malformed.problem}", **malformed.members)
    payload, canonical_payload = _read_payload(query, headers, signed_headers, accepted.service)
    return PresentedSignature(
        kind=SignatureKind.QUERY_V4,
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=signed_headers,
        signature=query["X-Amz-Signature"],
        timestamp=timestamp,
        timestamp_text=query["X-Amz-Date"],
        expires_seconds=_parse_expires(query["X-Amz-Expires"]),
        session_token=query.get("X-Amz-Security-Token") or headers.get("x-amz-security-token"),
        payload=payload,
        canonical_payload=canonical_payload,
    )


def _check_parameters(query: Mapping[str, str]) -> None:
    algorithm = query.get("X-Amz-Algorithm", "")
    if algorithm.startswith("AWS4-ECDSA"):
        raise errors.NotImplemented("Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not implemented.")
    if algorithm and algorithm != ALGORITHM:
        _refuse(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    if not all(query.get(name) for name in _REQUIRED):
        _refuse(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )


def _parse_date(text: str) -> datetime:
    try:
        return timestamps.parse_basic(text)
    except ValueError:
        _refuse("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")


def _parse_expires(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        _refuse("X-Amz-Expires should be a number")
    if text.startswith("-"):
        _refuse("X-Amz-Expires must be non-negative")
    expires_seconds = int(digits)
    if expires_seconds > EXPIRES_SECONDS_MAX:
        _refuse(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{EXPIRES_SECONDS_MAX} seconds"
        )
    return expires_seconds


def _read_payload(
    query: Mapping[str, str], headers: Mapping[str, str], signed_headers: tuple[str, ...], service: str
) -> tuple[PayloadDeclaration, str | None]:
    """Find the declaration: the parameter, else the header, else none.

    The header need not be signed (SDKs add it to the request after presigning); then the signature says
    UNSIGNED-PAYLOAD, and the header still says how the body is framed.
    """
    if service != "s3":  # other services sign the hash of the body
        return PayloadDeclaration(PayloadMode.SIGNED), None
    parameter = query.get(_CONTENT_SHA256_PARAMETER)
    if parameter is not None:
        return parse_payload_declaration(parameter), parameter
    declaration = read_payload_declaration(headers)
    if CONTENT_SHA256_HEADER in signed_headers:
        return declaration, headers.get(CONTENT_SHA256_HEADER, UNSIGNED_PAYLOAD)
    return declaration, UNSIGNED_PAYLOAD


def _refuse(message: str, **members: str) -> NoReturn:
    raise errors.AuthorizationQueryParametersError(message, headers=None, **members) from None
