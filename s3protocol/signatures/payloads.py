"""Reading how a request declares its body: the header x-amz-content-sha256 and what stands in for it.

Not for: checking that the body is what was declared (the endpoint compares hashes, `chunked` checks chunks).
"""

import re
from collections.abc import Mapping
from typing import Final

from s3protocol import errors
from s3protocol.signatures.presented import PayloadDeclaration, PayloadMode

CONTENT_SHA256_HEADER: Final = "x-amz-content-sha256"

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")
_ECDSA_PREFIX: Final = "STREAMING-AWS4-ECDSA-"
_UNSIGNED: Final = PayloadDeclaration(PayloadMode.UNSIGNED)
_KEYWORDS: Final = {mode.value: PayloadDeclaration(mode) for mode in PayloadMode if mode is not PayloadMode.SIGNED}


def read_payload_declaration(headers: Mapping[str, str]) -> PayloadDeclaration:
    """Read the declaration of a request that need not carry one: anonymous, presigned, or of Version 2.

    SDKs that don't sign still frame a body with a trailing checksum, and announce it only by its content encoding.
    Errors: InvalidArgument, NotImplemented (SigV4A), InvalidRequest for signed chunks.
    """
    value = headers.get(CONTENT_SHA256_HEADER)
    if value is not None:
        return parse_payload_declaration(value)
    if "aws-chunked" in headers.get("content-encoding", ""):
        return _KEYWORDS[PayloadMode.STREAMING_UNSIGNED_TRAILER.value]
    return _UNSIGNED


def parse_payload_declaration(value: str) -> PayloadDeclaration:
    """Read a value of x-amz-content-sha256. InvalidArgument if S3 knows no such value, NotImplemented for SigV4A."""
    if _SHA256_HEX.fullmatch(value):
        return PayloadDeclaration(PayloadMode.SIGNED, value.lower())
    declaration = _KEYWORDS.get(value)
    if declaration is not None:
        return declaration
    if value.startswith(_ECDSA_PREFIX):
        raise errors.NotImplemented("Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not implemented.")
    raise errors.InvalidArgument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        ArgumentName=CONTENT_SHA256_HEADER,
        ArgumentValue=value,
    )
