"""Conditional requests: what If-Match and its kin say of an object. Pure.

Source: RFC 9110, section 13.2.2 gives the order of evaluation; S3 follows it:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from s3protocol import errors
from s3protocol.timestamps import format_http_date


@dataclass(frozen=True, slots=True)
class ReadConditions:
    """The four conditions of a read, as the request gave them."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None


def unquote_etag(etag: str) -> str:
    """Return an ETag without its quotes; clients send both forms."""
    return etag.strip().removeprefix("W/").strip('"')


def matches(header: str, etag: str) -> bool:
    """Say whether a list of ETags (or `*`) names this one."""
    return any(item.strip() == "*" or unquote_etag(item) == etag for item in header.split(","))


def check_read(conditions: ReadConditions, *, etag: str, modified_at: datetime) -> None:
    """Raise PreconditionFailed or NotModified when the conditions forbid to answer with this version.

    HTTP dates have whole seconds, so the version's time is compared by the second.
    """
    modified_at = modified_at.replace(microsecond=0)
    if conditions.if_match is not None:
        if not matches(conditions.if_match, etag):
            raise errors.PreconditionFailed(Condition="If-Match")
    elif conditions.if_unmodified_since is not None and modified_at > conditions.if_unmodified_since:
        raise errors.PreconditionFailed(Condition="If-Unmodified-Since")
    if conditions.if_none_match is not None:
        if matches(conditions.if_none_match, etag):
            raise _not_modified(etag, modified_at)
    elif conditions.if_modified_since is not None and modified_at <= conditions.if_modified_since:
        raise _not_modified(etag, modified_at)


def does_range_apply(if_range: str | None, *, etag: str, modified_at: datetime) -> bool:
    """Say whether If-Range lets a range be served: the object still is what the client has the rest of.

    Otherwise it gets the whole. A weak ETag never matches, a date only the very second (RFC 9110, section 13.1.5).
    """
    if if_range is None:
        return True
    if if_range.strip().startswith(('"', "W/")):
        return if_range.strip() == f'"{etag}"'
    return if_range.strip() == format_http_date(modified_at)


def _not_modified(etag: str, modified_at: datetime) -> errors.NotModified:
    """Say with which validators the client's copy is still good (RFC 9110, section 15.4.5)."""
    return errors.NotModified(headers={"ETag": f'"{etag}"', "Last-Modified": format_http_date(modified_at)})


def check_source(conditions: ReadConditions, *, etag: str, modified_at: datetime, operation: str = "copy") -> None:
    """Raise PreconditionFailed when the x-amz-copy-source-if-* conditions, or those of a rename, forbid to take a version."""
    try:
        check_read(conditions, etag=etag, modified_at=modified_at)
    except errors.PreconditionFailed as failed:
        raise errors.PreconditionFailed(Condition=f"x-amz-{operation}-source-{failed.members['Condition']}") from None
    except errors.NotModified:
        name = "If-Modified-Since" if conditions.if_none_match is None else "If-None-Match"
        raise errors.PreconditionFailed(Condition=f"x-amz-{operation}-source-{name}") from None
