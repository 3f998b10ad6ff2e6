"""What a request says about its own authenticity: the values that reading a signature yields and verifying needs.

Nothing here is believed yet: a `PresentedSignature` is a claim; a `SigningContext` exists only after verification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SignatureKind(StrEnum):
    """Where the signature stands, and of which version it is."""

    HEADER_V4 = "HEADER_V4"
    QUERY_V4 = "QUERY_V4"
    HEADER_V2 = "HEADER_V2"
    QUERY_V2 = "QUERY_V2"


class PayloadMode(StrEnum):
    """How the body is framed and what vouches for it; the values but SIGNED are those of x-amz-content-sha256."""

    SIGNED = "SIGNED"
    UNSIGNED = "UNSIGNED-PAYLOAD"
    STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    @property
    def is_aws_chunked(self) -> bool:
        """Whether the body is framed in chunks that `chunked.AwsChunkedDecoder` takes apart."""
        return self in _AWS_CHUNKED

    @property
    def has_signed_chunks(self) -> bool:
        """Whether each chunk carries a signature, chained to that of the request."""
        return self in _SIGNED_CHUNKS


_SIGNED_CHUNKS = frozenset({PayloadMode.STREAMING_SIGNED, PayloadMode.STREAMING_SIGNED_TRAILER})
_AWS_CHUNKED = _SIGNED_CHUNKS | {PayloadMode.STREAMING_UNSIGNED_TRAILER}


@dataclass(frozen=True, slots=True)
class PayloadDeclaration:
    """The body as the request declares it. `sha256_hex` is the hash that a SIGNED body must have.

    It is None in the mode SIGNED for services whose clients send no hash header (IAM, STS): there the caller hashes
    the body and hands the hash to `verify_signature`.
    """

    mode: PayloadMode
    sha256_hex: str | None = None


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """Where a Version 4 signature holds: a day (YYYYMMDD), a region, a service."""

    date_text: str
    region: str
    service: str

    @property
    def text(self) -> str:
        """The scope as strings to sign name it."""
        return f"{self.date_text}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class PresentedSignature:
    """A signature as a request presents it: well-formed, not yet verified.

    `timestamp` is when the request says that it was signed; for QUERY_V2, which says no such thing, when it expires.
    `timestamp_text` is its spelling in the request. `expires_seconds` is of QUERY_V4 alone. `canonical_payload` is the
    last line of the canonical request (None: the hash of the body, see `PayloadDeclaration`). Version 2 has neither
    scope nor signed headers.
    """

    kind: SignatureKind
    access_key_id: str
    scope: CredentialScope | None
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: datetime
    timestamp_text: str
    expires_seconds: int | None
    session_token: str | None
    payload: PayloadDeclaration
    canonical_payload: str | None


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """The request that a signature is verified against; the fields are the arguments of `verify_signature`."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    raw_path: str | None = None
    virtual_host_bucket: str | None = None


@dataclass(frozen=True, slots=True)
class SigningContext:
    """A verified Version 4 signature: what the signatures of the body's chunks are chained to.

    `timestamp_text` is in the basic form (20130524T000000Z), `seed_signature` the request's own.
    """

    signing_key: bytes
    seed_signature: str
    scope: CredentialScope
    timestamp: datetime
    timestamp_text: str

    def __repr__(self) -> str:
        """Leave out the signing key: contexts end up in tracebacks and logs."""
        return f"SigningContext(scope={self.scope.text!r}, timestamp={self.timestamp_text!r})"
