"""The conditions of writes, as requests say them."""

from __future__ import annotations

from objects.conditions import unquote_etag
from objects.services.publish import WriteConditions


def write_conditions(*, if_match: str | None, if_none_match: str | None) -> WriteConditions:
    """Read the conditions of a write. AWS takes `*` alone for If-None-Match; an ETag means here what HTTP says."""
    return WriteConditions(
        if_none_match=None if if_none_match is None else unquote_etag(if_none_match),
        if_match=None if if_match is None else unquote_etag(if_match),
    )
