"""Text for XML 1.0: escaping that always yields a document every parser accepts.

Object keys and header values may hold characters that XML 1.0 cannot hold in any spelling (U+0001, lone surrogates).
AWS writes them as `&#x1;`, which expat, libxml2 and Go's encoding/xml all refuse, so that one such key hides the whole
listing. We write U+FFFD instead, as Go's encoder does: the document parses, and a client that needs the exact key asks
for `encoding-type=url`, as the SDKs do unasked.
"""

import re
from typing import Final

# https://www.w3.org/TR/xml/#charsets; carriage return is allowed, but parsers turn a literal one into a line feed.
_SPECIAL_IN_TEXT: Final = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SPECIAL_IN_ATTRIBUTE: Final = re.compile("[&<>\"'\t\n\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_UNHOLDABLE: Final = "\ufffd"


def _escape_match(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], _UNHOLDABLE)


def escape_text(text: str) -> str:
    """Escape the content of an element. Text without special characters, nearly all of it, costs one search."""
    if _SPECIAL_IN_TEXT.search(text) is None:
        return text
    return _SPECIAL_IN_TEXT.sub(_escape_match, text)


def escape_attribute(text: str) -> str:
    """Escape an attribute's value for double quotes, keeping its white space from being normalised away."""
    return _SPECIAL_IN_ATTRIBUTE.sub(_escape_match, text)
