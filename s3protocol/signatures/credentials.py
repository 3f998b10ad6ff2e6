"""Reading the parts that both places of a Version 4 signature share: the credential and the signed headers.

Errors are raised as `MalformedCredentialError`, without S3's code: a header and a query answer with different ones.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from s3protocol.signatures.canonical import TERMINATOR
from s3protocol.signatures.presented import CredentialScope

_DATE = re.compile(r"[0-9]{8}")
# Header names are tokens (RFC 9110, section 5.6.2): nothing else may stand in a canonical request.
_SIGNED_HEADERS = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*")
# Regions and services are part of the string to sign, which is made of lines.
_SCOPE_WORD = re.compile(r"[A-Za-z0-9._-]*")

# A client repeats its credential all day, and its list of signed headers from request to request.
_CACHED_MAX: Final = 4096


class MalformedCredentialError(Exception):
    """What is wrong with a credential, in S3's words; `region` is the one expected if that is it."""

    def __init__(self, problem: str, *, region: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.members = {} if region is None else {"Region": region}


@dataclass(frozen=True, slots=True)
class AcceptedScope:
    """What a scope must name: the service, and one of the accepted regions (None: any)."""

    region: str
    accepted_regions: frozenset[str] | None
    service: str


@lru_cache(maxsize=_CACHED_MAX)
def parse_credential(text: str, accepted: AcceptedScope) -> tuple[str, CredentialScope]:
    """Split AKID/YYYYMMDD/REGION/SERVICE/aws4_request and check it. The access key id may hold slashes itself."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or not parts[0]:
        problem = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        raise MalformedCredentialError(problem)
    access_key_id, date_text, region, service, terminator = parts
    if not _DATE.fullmatch(date_text):
        problem = f'incorrect date format "{date_text}". This date in the credential must be in the format "yyyyMMdd".'
        raise MalformedCredentialError(problem)
    if terminator != TERMINATOR:
        problem = f'incorrect terminal "{terminator}". This endpoint uses "{TERMINATOR}".'
        raise MalformedCredentialError(problem)
    if service != accepted.service:
        problem = f'incorrect service "{service}". This endpoint belongs to "{accepted.service}".'
        raise MalformedCredentialError(problem)
    _check_region(region, accepted)
    return access_key_id, CredentialScope(date_text, region, service)


@lru_cache(maxsize=_CACHED_MAX)
def parse_signed_headers(text: str) -> tuple[str, ...] | None:
    """Split SignedHeaders at its semicolons; None if it is not a list of header names."""
    names = text.lower()
    return tuple(names.split(";")) if _SIGNED_HEADERS.fullmatch(names) else None


def check_scope_date(scope: CredentialScope, basic_timestamp: str) -> None:
    """Check that a scope's day is that of the request."""
    if not basic_timestamp.startswith(scope.date_text):
        problem = (
            f'Invalid credential date "{scope.date_text}". This date is not the same as X-Amz-Date: '
            f'"{basic_timestamp[:8]}".'
        )
        raise MalformedCredentialError(problem)


def _check_region(region: str, accepted: AcceptedScope) -> None:
    accepted_regions = accepted.accepted_regions
    if _SCOPE_WORD.fullmatch(region) and (accepted_regions is None or region in accepted_regions):
        return
    problem = f"the region '{region}' is wrong; expecting '{accepted.region}'"
    raise MalformedCredentialError(problem, region=accepted.region)
