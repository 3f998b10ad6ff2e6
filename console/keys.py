"""Keys as people see them: names within a prefix, the path to a prefix, a name for a downloaded object. Pure.

A key is any text. Nothing here makes it fit for HTML or for an address: templates escape, and keys travel in query
strings, percent-encoded; in forms, too, because a browser rewrites the line ends of a field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

DELIMITER = "/"
DOWNLOAD_NAME_LENGTH_MAX = 200

# What a file name must not hold on some system, controls, and marks that reverse the reading direction.
_UNSAFE_IN_NAMES = re.compile('[\x00-\x1f\x7f-\x9f"*/:<>?\\\\|\u200e\u200f\u202a-\u202e\u2066-\u2069]')
_INVISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step on the path to a prefix."""

    name: str
    prefix: str


def crumbs(prefix: str) -> list[Crumb]:
    """Return the steps to a prefix, outermost first; an empty step is shown as the delimiter that makes it."""
    steps, end = [], 0
    while (at := prefix.find(DELIMITER, end)) >= 0:
        steps.append(Crumb(visible(prefix[end:at]) or DELIMITER, prefix[: at + 1]))
        end = at + 1
    return steps


def parent_prefix(key: str) -> str:
    """Return the prefix that a key or common prefix is listed under."""
    name = key.removesuffix(DELIMITER)
    return name[: name.rfind(DELIMITER) + 1]


def name_within(key: str, prefix: str) -> str:
    """Return what of a key (or common prefix) to show in a listing of the prefix; never empty."""
    name = key.removeprefix(prefix)
    return visible(name.removesuffix(DELIMITER)) or DELIMITER


def visible(text: str) -> str:
    """Show control characters as escapes, so that two keys that differ look different."""
    return text.translate(_INVISIBLE)


def download_name(key: str) -> str:
    """Return a file name that is safe to save under: the key's last step without what file systems forbid."""
    name = _UNSAFE_IN_NAMES.sub("_", key.rstrip(DELIMITER).rpartition(DELIMITER)[2]).strip(" .")
    if len(name) > DOWNLOAD_NAME_LENGTH_MAX:
        stem, dot, extension = name.rpartition(".")
        tail = dot + extension if stem and len(extension) <= 16 else ""
        name = name[: DOWNLOAD_NAME_LENGTH_MAX - len(tail)] + tail
    return name or "download"


def encoded(key: str) -> str:
    """Percent-encode a key for a query string, an attribute or a form's field."""
    return quote(key, safe="")


def decoded(text: str) -> str:
    """Return the key that `encoded` made this of. Raises ValueError when it did not."""
    return unquote(text, errors="strict")
