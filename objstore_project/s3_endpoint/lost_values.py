"""Headers whose values did not pass the web server: bytes beyond ASCII arrive here as an empty text.

Where such a header is signed, the signature tells a value that was sent empty from one that was lost. An unsigned one comes
from browsers with a presigned link, and from nobody in particular; it has to have a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from s3protocol import errors
from s3protocol.signatures import PresentedSignature

# What would be stored or decided otherwise than its sender means. Not Content-Type: browsers do send it empty, and no type
# has letters beyond ASCII.
_MEANINGFUL = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "content-md5"}
    | {"expires", "if-match", "if-none-match"}
)


def refuse_lost_values(headers: Mapping[str, str], signature: PresentedSignature | None) -> None:
    """Refuse a request with an unsigned header that may have lost its value. Raises InvalidArgument."""
    if "" in headers.values():
        _refuse(
            name
            for name, value in headers.items()
            if not value and _is_meaningful(name) and not (signature is not None and _is_signed(name, signature))
        )


def refuse_lost_signed_values(headers: Mapping[str, str]) -> None:
    """Say of a request that does not verify that a value was lost, if it may have been. Raises InvalidArgument."""
    _refuse(
        name
        for name, value in headers.items()
        if _is_meaningful(name) and not all(part.strip() for part in value.split(","))
    )


def _is_meaningful(name: str) -> bool:
    return name.startswith("x-amz-") or name in _MEANINGFUL


def _is_signed(name: str, signature: PresentedSignature) -> bool:
    """Version 2 has no list of what it signs."""
    return name in signature.signed_headers or (signature.scope is None and name.startswith("x-amz-"))


def _refuse(names: Iterable[str]) -> None:
    lost = ", ".join(names)
    if lost:
        raise errors.InvalidArgument(
            "A header has no value here: it was sent empty without being signed so, or holds characters beyond ASCII, "
            "which have to be encoded as RFC 2047 says.",
            ArgumentName=lost,
        )
