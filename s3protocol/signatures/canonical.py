"""The canonical request of Signature Version 4, the string to sign, and the keys that sign it.

Both directions use this module: `verification` for what clients send, `presign` for what we send. Not for: reading a
request's signature (`reading`) or Version 2 (`version_2`).

Theory (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html): client and server write the same
request down in one spelling, hash it, and sign the hash with a key derived from the secret for one day, region and
service. S3's spelling differs from that of other AWS services: each path byte is percent-encoded once, and neither
"//" nor "." nor ".." is folded. No line of the canonical text may hold a line break of the client's making, or one
signature would fit two requests: path and query are encoded, header names are tokens, header values are collapsed.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

ALGORITHM: Final = "AWS4-HMAC-SHA256"
TERMINATOR: Final = "aws4_request"
UNSIGNED_PAYLOAD: Final = "UNSIGNED-PAYLOAD"
SIGNATURE_PARAMETER: Final = "X-Amz-Signature"

# A signing key serves one secret, day, region and service; twice this many access keys can be in use around midnight.
_SIGNING_KEYS_CACHED_MAX: Final = 4096

# The key's bytes that HMAC hashes first (RFC 2104); a signing key is shorter than a block.
_HASH_BLOCK_BYTES: Final = 64
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")
# A word that is canonical already: unreserved characters, and escapes in upper-case hex of all others.
_CANONICAL_WORD = re.compile(r"(?:[A-Za-z0-9._~-]|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]))*")
_WHITESPACE = re.compile(r"[ \t\r\n\f\v]+")
_IRREGULAR_VALUE = re.compile(r"^[ \t\r\n\f\v]|[ \t\r\n\f\v]$|[\t\r\n\f\v]|  ")


def canonical_path(path: str) -> str:
    """Percent-encode a decoded path once, byte by byte, leaving slashes and unreserved characters.

    `path` is text decoded from UTF-8; bytes that were none are surrogate escapes and become their own bytes again.
    """
    if _PLAIN_PATH.fullmatch(path):
        return path
    return quote_from_bytes(path.encode("utf-8", "surrogateescape"), safe="/~")


def canonical_query(raw_query: str, *, leave_out: str | None = None) -> str:
    """Spell a raw query string canonically: each name and value re-encoded, sorted by name, then value.

    A plus sign is a space, as the parser of the request reads it: were it tried as a literal plus too, "%2B" could be
    swapped for "+" under a valid signature and change the meaning. `leave_out` names a parameter (decoded) to drop.
    """
    if not raw_query:
        return ""
    pairs = [
        (name, encode_word(value))
        for raw_pair in raw_query.split("&")
        if raw_pair
        for raw_name, _, value in (raw_pair.partition("="),)
        if (name := encode_word(raw_name)) != leave_out
    ]
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def encode_word(raw_word: str) -> str:
    """Re-encode one name or value of a raw query string: everything but unreserved characters, in upper-case hex."""
    if _CANONICAL_WORD.fullmatch(raw_word):
        return raw_word
    return quote_from_bytes(unquote_to_bytes(raw_bytes(raw_word.replace("+", "%20"))), safe="~")


def canonical_headers(names: Sequence[str], headers: Mapping[str, str]) -> str:
    """Write the named headers, one line each, values trimmed and inner whitespace collapsed; an absent one is empty."""
    lines = []
    for name in names:
        value = headers.get(name)
        if value is None:
            # Servers answer this one themselves and may swallow it; nothing else can stand in it.
            value = "100-continue" if name == "expect" else ""
        elif _IRREGULAR_VALUE.search(value):
            value = collapse_whitespace(value)
        lines.append(f"{name}:{value}\n")
    return "".join(lines)


def collapse_whitespace(value: str) -> str:
    """Trim a header value and make each run of ASCII whitespace one space; bytes above 0x7F (a UTF-8 tail) stay."""
    return _WHITESPACE.sub(" ", value).strip(" ")


def canonical_request(
    method: str, path: str, query: str, *, names: Sequence[str], headers: Mapping[str, str], payload_hash: str
) -> str:
    """Put the canonical request together from a canonical path and query."""
    return f"{method}\n{path}\n{query}\n{canonical_headers(names, headers)}\n{';'.join(names)}\n{payload_hash}"


def string_to_sign(timestamp_text: str, scope_text: str, request_text: str) -> str:
    """Write what the signature signs; header values are latin-1 text and are hashed as the bytes that were sent."""
    return f"{ALGORITHM}\n{timestamp_text}\n{scope_text}\n{hashlib.sha256(raw_bytes(request_text)).hexdigest()}"


@lru_cache(maxsize=_SIGNING_KEYS_CACHED_MAX)
def signing_key(secret_key: str, date_text: str, region: str, service: str) -> bytes:
    """Derive the key of a day, region and service: four HMACs, remembered for the next request."""
    key = f"AWS4{secret_key}".encode()
    for part in (date_text, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """Sign a string to sign: HMAC-SHA256 in lower-case hex."""
    inner, outer = (half.copy() for half in _keyed_hashes(key))
    inner.update(raw_bytes(text))
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=_SIGNING_KEYS_CACHED_MAX)
def _keyed_hashes(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """Begin HMAC's two hashes (RFC 2104), to be gone on with in copies: OpenSSL takes 10 microseconds to begin anew."""
    padded = key.ljust(_HASH_BLOCK_BYTES, b"\0")
    return hashlib.sha256(padded.translate(_INNER_PAD)), hashlib.sha256(padded.translate(_OUTER_PAD))


def is_same_signature(expected: str, provided: str) -> bool:
    """Compare in a time that says nothing about where the two differ; any text may be provided."""
    return hmac.compare_digest(expected.encode("utf-8", "replace"), provided.encode("utf-8", "replace"))


def raw_bytes(text: str) -> bytes:
    """Give the bytes that a WSGI string stands for (latin-1); text beyond it can only be our caller's own, as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def sorted_names(names: Iterable[str]) -> tuple[str, ...]:
    """Order header names as a signer lists them."""
    return tuple(sorted(name.lower() for name in names))
