"""The arithmetic of listings: bounds, successors and continuation tokens. Pure.

Keys are ordered by their UTF-8 bytes, which is the order of their code points. All keys with a prefix lie between the
prefix and its successor; the same goes for all keys that share a common prefix, which is why a listing can jump.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from s3protocol import errors

PAGE_SIZE_MAX = 1_000

_HIGHEST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def successor(text: str) -> str | None:
    """Return the first string that follows every string beginning with `text`; None when there is none."""
    for position in range(len(text) - 1, -1, -1):
        code = ord(text[position])
        if code < _HIGHEST:
            following = code + 1
            if following in _SURROGATES:
                following = _SURROGATES.stop
            return text[:position] + chr(following)
    return None


@dataclass(frozen=True, slots=True)
class WalkBounds:
    """Where a walk over the keys of a bucket begins and ends."""

    prefix: str
    delimiter: str
    delimiter_next: str
    after: str
    is_after_inclusive: bool
    end: str | None


def walk_bounds(*, prefix: str, delimiter: str, after: str) -> WalkBounds:
    """Bound the walk that lists what follows `after` (a key or a common prefix; empty: from the start)."""
    start, inclusive = after, False
    if after < prefix:
        start, inclusive = prefix, True
    elif delimiter and after.startswith(prefix) and _is_common_prefix(after, prefix, delimiter):
        behind = successor(after)
        start, inclusive = (behind, True) if behind is not None else (after, False)
    return WalkBounds(
        prefix=prefix,
        delimiter=delimiter,
        delimiter_next=successor(delimiter) or delimiter,
        after=start,
        is_after_inclusive=inclusive,
        end=successor(prefix),
    )


def _is_common_prefix(text: str, prefix: str, delimiter: str) -> bool:
    """Say whether `text` is what a listing with this prefix and delimiter would group keys under."""
    at = text.find(delimiter, len(prefix))
    return at >= 0 and at + len(delimiter) == len(text)


def encode_token(name: str) -> str:
    """Make the continuation token that resumes behind a key or common prefix."""
    return base64.urlsafe_b64encode(b"1" + name.encode()).decode()


def decode_token(token: str) -> str:
    """Return what a continuation token resumes behind. Raises InvalidArgument when it is none of ours."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
        if raw[:1] == b"1":
            return raw[1:].decode()
    except (binascii.Error, ValueError):
        pass
    raise errors.InvalidArgument("The continuation token provided is incorrect", ArgumentName="continuation-token")
