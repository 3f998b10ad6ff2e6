"""Tokens of OpenID Connect providers: whose they are, and that the provider says so.

Keys are fetched from the provider (discovery, then its key set) when they are needed, and remembered. Only providers that
an account has registered are ever asked, at addresses that `outbound` allows, within time and size, without redirects.
Anybody may send a token, so what is asked of a provider is bounded: once in REFRESH_SECONDS at most, failures included.
https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from accesscontrol.models import OidcProvider
from accesscontrol.outbound import OutboundRefused, open_connection
from s3protocol.query import errors

KEYS_SECONDS: Final = 600.0
REFRESH_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 5.0
DOCUMENT_BYTES_MAX: Final = 256 << 10
SKEW_SECONDS: Final = 60
TOKEN_LENGTH_MAX: Final = 20_000
_ISSUERS_MAX = 1_000
# Signatures with the provider's private key; never `none`, never a shared secret.
ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a verified token says."""

    issuer: str
    subject: str
    audience: str
    claims: Mapping[str, Any]


@dataclass(slots=True)
class _Keys:
    """The keys of an issuer as they were fetched; none while the provider does not answer."""

    fetched_at: float
    keys: KeySet | None
    problem: str


_fetched: dict[str, _Keys] = {}
_fetching: dict[str, threading.Lock] = {}


def read_issuer(token: str) -> str:
    """Return the issuer that a token claims, believing nothing. Raises InvalidIdentityToken."""
    if len(token) > TOKEN_LENGTH_MAX:
        raise errors.InvalidIdentityToken("The token is too long.")
    try:
        claims = json.loads(_decoded(token.split(".")[1]))
    except (ValueError, IndexError, RecursionError):
        raise errors.InvalidIdentityToken("The ID Token provided is not a valid JWT.") from None
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(issuer, str):
        raise errors.InvalidIdentityToken("Missing a required claim: iss")
    return issuer


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def find_provider_of(account_id: str, issuer: str) -> OidcProvider:
    """Return the account's provider with an issuer. Raises InvalidIdentityToken. One statement."""
    url = issuer.removeprefix("https://").rstrip("/")
    provider = OidcProvider.objects.filter(account_id=account_id, url__in=[url, f"{url}/"]).first()
    if provider is None:
        raise errors.InvalidIdentityToken("No OpenIDConnect provider found in your account for " + issuer[:256])
    return provider


def verify_token(token: str, provider: OidcProvider, *, now: datetime) -> WebIdentity:
    """Verify a token of a provider: signature, issuer, times, audience.

    Raises InvalidIdentityToken, ExpiredTokenException, IDPCommunicationError. Cost: none while the keys are remembered.
    """
    issuer = read_issuer(token)
    claims = _signed_claims(token, issuer)
    moment = now.timestamp()
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(not_before, int | float):
        raise errors.InvalidIdentityToken("Missing a required claim: exp")
    if expires <= moment:
        raise errors.ExpiredTokenException("Token must not be expired")
    if max(not_before, _number(claims.get("iat"))) > moment + SKEW_SECONDS:
        raise errors.InvalidIdentityToken("The token is not valid yet")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise errors.InvalidIdentityToken("Missing a required claim: sub")
    return WebIdentity(issuer, subject, _audience(claims, provider.client_ids), claims)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _audience(claims: Mapping[str, Any], client_ids: list[str]) -> str:
    """Return for whom the token is: `azp` where it names one, else `aud`. Raises InvalidIdentityToken for others.

    A provider without client ids takes any; `sts` demands then that the trust policy says which.
    """
    listed = claims.get("aud")
    audiences = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
    party = claims.get("azp")
    named = [party] if isinstance(party, str) else [one for one in audiences if isinstance(one, str)]
    if not named:
        raise errors.InvalidIdentityToken("Missing a required claim: aud")
    accepted = [one for one in named if one in client_ids] if client_ids else named
    if not accepted:
        raise errors.InvalidIdentityToken("Incorrect token audience")
    return accepted[0]


def _signed_claims(token: str, issuer: str) -> dict[str, Any]:
    """Return the claims of a token that the issuer signed; with keys fetched anew where the known ones don't fit."""
    for is_renewed in (False, True):
        keys = _keys_of(issuer, is_renewed=is_renewed)
        try:
            return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError, TypeError):
            continue
    raise errors.InvalidIdentityToken("The signature of the token could not be verified")


def _keys_of(issuer: str, *, is_renewed: bool) -> KeySet:
    """Return an issuer's keys, at most KEYS_SECONDS old, or with `is_renewed` REFRESH_SECONDS. IDPCommunicationError."""
    age_max = REFRESH_SECONDS if is_renewed else KEYS_SECONDS
    found = _fetched.get(issuer)
    if not _is_fresh(found, age_max):
        with _fetching.setdefault(issuer, threading.Lock()):
            found = _fetched.get(issuer)
            if not _is_fresh(found, age_max):
                found = _fetch_keys(issuer)
                if len(_fetched) >= _ISSUERS_MAX:
                    _fetched.clear()
                    _fetching.clear()
                _fetched[issuer] = found
    assert found is not None
    if found.keys is None:
        raise errors.IDPCommunicationError(f"The identity provider could not be asked: {found.problem}")
    return found.keys


def _is_fresh(found: _Keys | None, age_max: float) -> bool:
    if found is None:
        return False
    return time.monotonic() - found.fetched_at < (age_max if found.keys is not None else REFRESH_SECONDS)


def _fetch_keys(issuer: str) -> _Keys:
    keys, problem = None, ""
    try:
        configuration = _fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if str(configuration.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            problem = "its configuration is of another issuer"
        elif urlsplit(issuer).scheme == "https" and urlsplit(str(configuration.get("jwks_uri"))).scheme != "https":
            problem = "its keys are not behind https"
        else:
            keys = KeySet.import_key_set(_fetch(str(configuration.get("jwks_uri"))))  # type: ignore[arg-type]
    except OutboundRefused as refused:
        problem = str(refused)
    except (OSError, http.client.HTTPException):
        problem = "it does not answer"
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        problem = "its answer is no key set"
    return _Keys(time.monotonic(), keys, problem)


def _fetch(url: str) -> dict[str, Any]:
    """Fetch a JSON object. Raises OSError, HTTPException, ValueError, OutboundRefused."""
    connection = open_connection(url, timeout_seconds=TIMEOUT_SECONDS)
    try:
        parts = urlsplit(url)
        connection.request(
            "GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers={"Accept": "application/json"}
        )
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(answer.status)
        document = _read(answer)
    finally:
        connection.close()
    found = json.loads(document)
    if not isinstance(found, dict):
        raise TypeError(url)
    return found


def _read(answer: http.client.HTTPResponse) -> bytes:
    """Read a document within size and time, however slowly it comes. Raises ValueError, OSError."""
    document, deadline = b"", time.monotonic() + 2 * TIMEOUT_SECONDS
    while piece := answer.read1(1 << 16):
        document += piece
        if len(document) > DOCUMENT_BYTES_MAX or time.monotonic() > deadline:
            raise ValueError("too large, or too slow")
    return document


def forget_keys() -> None:
    """Drop what this process remembers of providers."""
    _fetched.clear()
