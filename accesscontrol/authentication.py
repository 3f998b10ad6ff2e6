"""Find out who a request speaks for: its signature is read, its key looked up, its signature verified."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from accesscontrol.principal import ANONYMOUS, Principal
from accesscontrol.selectors import Credentials, find_credentials, find_session_credentials
from s3protocol import errors
from s3protocol.signatures import (
    PayloadDeclaration,
    PayloadMode,
    PresentedSignature,
    SigningContext,
    read_payload_declaration,
    read_signature,
    verify_signature,
)


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The principal, how its body is framed, what the chunks of the body are signed with, and the verified signature.

    A browser's form has none in its headers: `form_algorithm` is what its fields are signed by.
    """

    principal: Principal
    payload: PayloadDeclaration
    signing_context: SigningContext | None
    signature: PresentedSignature | None = None
    form_algorithm: str = ""


def authenticate(
    *,
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    now: datetime,
    region: str,
    virtual_host_bucket: str | None,
) -> Authenticated:
    """Authenticate a request; without a signature it is anonymous. Cost: one statement, none for a remembered key.

    Raises S3's errors for malformed, unknown, expired and wrong signatures.
    """
    presented = read_signature(headers, raw_query, region=region)
    if presented is None:
        declared = headers.get("x-amz-content-sha256")
        payload = read_payload_declaration(headers) if declared else PayloadDeclaration(PayloadMode.UNSIGNED)
        if payload.mode.has_signed_chunks:
            raise errors.AccessDenied("A body of signed chunks needs a signed request.")
        return Authenticated(ANONYMOUS, payload, None)
    credentials = require_credentials(presented.access_key_id, presented.session_token, now=now)
    context = verify_signature(
        presented,
        secret_key=credentials.secret_key,
        method=method,
        path=path,
        raw_query=raw_query,
        headers=headers,
        now=now,
        virtual_host_bucket=virtual_host_bucket,
    )
    return Authenticated(credentials.principal, presented.payload, context, presented)


def authenticate_query(
    *,
    service: str,
    method: str,
    path: str,
    raw_query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    region: str,
    is_secure: bool,
) -> Authenticated:
    """Authenticate a request to IAM or STS, whose body is part of what is signed. Cost and errors: as above.

    A body that the signature says nothing of is believed on an encrypted connection alone.
    """
    presented = read_signature(headers, raw_query, region=region, service=service)
    if presented is None:
        return Authenticated(ANONYMOUS, PayloadDeclaration(PayloadMode.UNSIGNED), None)
    if presented.scope is None or presented.payload.mode.is_aws_chunked:
        raise errors.InvalidRequest("Requests to this service are signed with Signature Version 4.")
    body_sha256_hex = hashlib.sha256(body).hexdigest()
    if presented.payload.mode is PayloadMode.UNSIGNED and not is_secure:
        raise errors.InvalidRequest("The body of the request must be signed.")
    if presented.payload.sha256_hex not in (None, body_sha256_hex):
        raise errors.SignatureDoesNotMatch
    credentials = require_credentials(presented.access_key_id, presented.session_token, now=now)
    context = verify_signature(
        presented,
        secret_key=credentials.secret_key,
        method=method,
        path=path,
        raw_query=raw_query,
        headers=headers,
        now=now,
        body_sha256_hex=body_sha256_hex,
    )
    return Authenticated(credentials.principal, presented.payload, context, presented)


def require_credentials(access_key_id: str, session_token: str | None, *, now: datetime) -> Credentials:
    """Return the credentials of a key, or of the session whose token comes with it. Cost: see the selectors.

    Raises InvalidAccessKeyId for an unknown or inactive key; InvalidToken for a token that is none, or that belongs to
    another key, or whose role or user is gone; ExpiredToken.
    """
    if session_token is None:
        credentials = find_credentials(access_key_id)
        if credentials is None:
            raise errors.InvalidAccessKeyId(AWSAccessKeyId=access_key_id)
        return credentials
    credentials = find_session_credentials(session_token)
    if credentials is None or credentials.principal.access_key_id != access_key_id:
        raise errors.InvalidToken
    session = credentials.principal.session
    assert session is not None
    if session.expires_at <= now:
        raise errors.ExpiredToken
    return credentials
