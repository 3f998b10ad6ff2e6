"""Headers that presigners put into the query, for clients that cannot send any: they count as if they had been sent.

The SDKs for JavaScript, Go and Ruby sign metadata, grants, tags and the like so, and botocore does in Version 2. S3 heeds
them, and so must who stores what was asked for. What a signature covers alone is believed: Version 4 covers the whole query,
Version 2 the names in lower case. A header that is sent comes first.
"""

from __future__ import annotations

import re
from dataclasses import replace

from objstore_project.s3_endpoint.address import Address
from s3protocol import errors

_PREFIX = "x-amz-"

# The signature's own, and how a body is framed: that is for who sends it. So are checksums: presigners without a body put
# that of nothing there, and S3 was seen not to compare it.
_NO_HEADERS = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-content-sha256",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-expires",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
        "x-amz-trailer",
    }
)
_CHECKSUM_PREFIX = "x-amz-checksum-"
_ABOUT_CHECKSUMS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})
_OF_VERSION_2 = frozenset({"content-md5", "content-type"})
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


def with_hoisted_headers(address: Address) -> Address:
    """Return a presigned request's address with the headers that stand in its query. Raises InvalidArgument."""
    query = address.query
    if "X-Amz-Signature" in query:
        names = {name: name.lower() for name in query}
        taken: frozenset[str] = frozenset()
    elif "AWSAccessKeyId" in query and "Signature" in query:
        names = {name: name for name in query}
        taken = _OF_VERSION_2
    else:
        return address
    hoisted: dict[str, str] = {}
    for name, header in names.items():
        if (header in taken or _is_header(header)) and header not in address.headers:
            hoisted.setdefault(header, _checked(header, query[name]))
    return replace(address, headers={**address.headers, **hoisted}) if hoisted else address


def _is_header(name: str) -> bool:
    if not name.startswith(_PREFIX) or name in _NO_HEADERS:
        return False
    return name in _ABOUT_CHECKSUMS or not name.startswith(_CHECKSUM_PREFIX)


def _checked(name: str, value: str) -> str:
    if _CONTROL.search(value) is not None:
        raise errors.InvalidArgument(
            "The value of a header holds a control character.", ArgumentName=name, ArgumentValue=value
        )
    return value.strip()
