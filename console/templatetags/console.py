"""Filters and tags of the console's templates."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from buckets.selectors import BucketRecord
from console import keys, sizes
from console.access import decide_for, listing_of

register = template.Library()

register.filter("size", sizes.human_size)
register.filter("duration", sizes.human_duration)
register.filter("encoded", keys.encoded)
register.filter("visible", keys.visible)
register.filter("name_within", keys.name_within)
register.filter("parent_prefix", keys.parent_prefix)


@register.filter
def header_name(member: str) -> str:
    """Turn a member of S3's model into the header that carries it: `CacheControl` → `Cache-Control`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", member)


@register.filter
def as_json(value: Any) -> str:
    """Show a statement of a policy as it would be written."""
    return json.dumps(value, indent=2, default=dict)


@register.filter
def arn_account(arn: str) -> str:
    """Return the account of an ARN: `arn:aws:iam::123456789012:user/alice` → `123456789012`."""
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


@register.filter
def arn_resource(arn: str) -> str:
    """Return what an ARN names in its account: `arn:aws:iam::123456789012:user/alice` → `user/alice`."""
    return arn.split(":", 5)[5] if arn.count(":") >= 5 else arn


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon of templates/console/icons.html; decoration, silent to screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#icon-{}"/></svg>', name)


@register.simple_tag(takes_context=True)
def page_before(context: Context) -> str:
    """Return the address on this console that led here, to lead back to; empty where there is none."""
    request = context["request"]
    before = urlsplit(request.headers.get("Referer", ""))
    address = before.path + (f"?{before.query}" if before.query else "")
    is_here = before.netloc == request.get_host() and not address.startswith("//")
    return address if is_here and address != request.get_full_path() else ""


@register.simple_tag(takes_context=True)
def may(context: Context, action: str, bucket: BucketRecord | None = None, prefix: str | None = None) -> bool:
    """Tell whether to offer an action on a bucket, or on the service; `prefix` is the one that would be listed."""
    stated = None if prefix is None else listing_of(prefix)
    return decide_for(context["request"], action, bucket=bucket, stated=stated).is_allowed


@register.simple_tag
def moment(at: datetime | None, *, seconds: bool = False) -> SafeString:
    """Show a time in UTC, to the minute or the second; console.js turns it into the viewer's own time."""
    if at is None:
        return SafeString("")
    at = at.astimezone(UTC)
    text = f"{at:%Y-%m-%d %H:%M:%S}"
    return format_html(
        '<time datetime="{}" title="{} UTC"{}>{}</time>',
        at.isoformat(),
        text,
        SafeString(" data-seconds") if seconds else "",
        text if seconds else text[:-3],
    )


@register.simple_tag
def time_left(at: datetime | None) -> str:
    """Say how long it is until a time."""
    if at is None:
        return ""
    left = at - datetime.now(UTC)
    return f"{sizes.human_duration(left.total_seconds())} left" if left > timedelta(0) else "may be erased any moment"


@register.simple_tag
def recoverable_until(version: Any, history_seconds: int) -> datetime | None:
    """Return until when a version in history can be brought back."""
    until: datetime | None = version.recoverable_until(history_seconds)
    return until
