"""Reads as of a moment: which requests may say one, and how. Ours, not S3's.

A header or a query parameter `x-objstore-as-of`, an ISO 8601 time, has a read answer as it would have answered then. It is
signed like the rest of the request. It takes the permission for the read and that for versions, too: who may read an
object may not read what it was, which may have been overwritten for a reason.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from buckets.selectors import BucketRecord
from objstore_project.s3_endpoint.address import Address
from s3protocol import errors
from s3protocol.signatures import PresentedSignature, SignatureKind
from s3protocol.timestamps import parse_iso8601

NAME = "x-objstore-as-of"
OPERATIONS = frozenset(
    {"GetObject", "HeadObject", "GetObjectAttributes", "ListObjects", "ListObjectsV2", "ListObjectVersions"}
)
SKEW = timedelta(minutes=15)


def is_asked(address: Address) -> bool:
    """Say whether a request names a moment."""
    return NAME in address.headers or NAME in address.query


def read_moment(address: Address, operation_name: str, signature: PresentedSignature | None, now: datetime) -> datetime:
    """Return the moment that a request is about.

    Raises InvalidRequest for an operation without one and for a moment that the signature does not cover,
    InvalidArgument for what is no time, or not over yet.
    """
    if operation_name not in OPERATIONS:
        raise errors.InvalidRequest(f"{operation_name} does not take {NAME}: it is about the present.")
    return read_signed_moment(address, signature, now)


def read_signed_moment(address: Address, signature: PresentedSignature | None, now: datetime) -> datetime:
    """Return the moment that a request names, whatever the operation. Raises likewise."""
    text = address.query.get(NAME, address.headers.get(NAME, ""))
    if address.headers.get(NAME, text) != text:
        raise errors.InvalidRequest(f"The header and the query parameter {NAME} differ.")
    _require_signed(address, signature)
    try:
        moment = parse_iso8601(text)
    except (ValueError, OverflowError):
        raise _refusal("is no time like 2026-01-31T12:00:00Z", text) from None
    if moment > now + SKEW:
        raise _refusal("lies in the future", text)
    return min(moment, now)


def _require_signed(address: Address, signature: PresentedSignature | None) -> None:
    if signature is None:
        return  # nobody's request is as trustworthy as the rest of it
    if signature.kind in (SignatureKind.HEADER_V2, SignatureKind.QUERY_V2):
        raise errors.InvalidRequest(f"{NAME} needs Signature Version 4: Version 2 does not sign it.")
    if NAME in address.headers and NAME not in signature.signed_headers:
        raise errors.AccessDenied(
            "There were headers present in the request which were not signed", HeadersNotSigned=NAME
        )


def require_within_history(moment: datetime, bucket: BucketRecord, now: datetime) -> None:
    """Raise InvalidArgument for a moment of which the bucket's history knows no more."""
    if moment < now - timedelta(seconds=bucket.history_seconds):
        raise _refusal(
            f"is further back than the bucket's history of {bucket.history_seconds} seconds", moment.isoformat()
        )


def _refusal(problem: str, value: str) -> errors.InvalidArgument:
    return errors.InvalidArgument(f"{NAME} {problem}.", ArgumentName=NAME, ArgumentValue=value)
