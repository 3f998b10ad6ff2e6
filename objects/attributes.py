"""What a client says about an object beside its bytes: system headers, user metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from s3protocol import errors

KEY_BYTES_MAX = 1_024
METADATA_BYTES_MAX = 2_048
DEFAULT_CONTENT_TYPE = "binary/octet-stream"

# What the name of a header may hold (RFC 9110, section 5.6.2): forms and presigned links bring names in fields and a query.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")

_SYSTEM_HEADERS = {
    "cache_control": "CacheControl",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
    "expires": "Expires",
    "website_redirect_location": "WebsiteRedirectLocation",
}


def system_headers(**values: str | None) -> dict[str, str]:
    """Collect the headers that an object keeps, by the model's member names.

    `aws-chunked` in Content-Encoding describes the transfer, not the object, and is dropped as S3 drops it.
    """
    headers = {_SYSTEM_HEADERS[name]: value for name, value in values.items() if value}
    if "aws-chunked" in headers.get("ContentEncoding", "").lower():
        codings = [coding.strip() for coding in headers.pop("ContentEncoding").split(",")]
        kept = ",".join(coding for coding in codings if coding and coding.lower() != "aws-chunked")
        if kept:
            headers["ContentEncoding"] = kept
    return headers


def checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return user metadata.

    Raises MetadataTooLarge over METADATA_BYTES_MAX of names and values, InvalidArgument for a name that no header can have:
    it could never be told again.
    """
    if not metadata:
        return {}
    for name in metadata:
        if _TOKEN.fullmatch(name) is None:
            raise errors.InvalidArgument(
                "No header can have this name.", ArgumentName=f"x-amz-meta-{name}", ArgumentValue=metadata[name]
            )
    size_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size_bytes > METADATA_BYTES_MAX:
        raise errors.MetadataTooLarge(Size=str(size_bytes), MaxSizeAllowed=str(METADATA_BYTES_MAX))
    return dict(metadata)


def checked_key(key: str) -> str:
    """Return a key that may be written. Raises KeyTooLongError."""
    size_bytes = len(key.encode())
    if size_bytes > KEY_BYTES_MAX:
        raise errors.KeyTooLongError(Size=str(size_bytes), MaxSizeAllowed=str(KEY_BYTES_MAX))
    return key


def shown_headers(content_type: str, headers: Mapping[str, str], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Render the kept headers for a response; `overrides` are the response-* parameters, by member name."""
    shown: dict[str, Any] = {"ContentType": content_type or DEFAULT_CONTENT_TYPE, **headers}
    shown.update({name: value for name, value in overrides.items() if value is not None})
    return shown
