"""Request signatures of S3: Signature Version 4 and, for old clients, Version 2, in the header or the query.

`read_signature` takes a request's signature apart, the caller looks up the secret of its access key, and
`verify_signature` decides. The only look-up lies between them, so that this package needs neither database nor clock.
Making signatures is `s3protocol.presign`, the signed chunks of a body are `s3protocol.chunked`.
"""

from s3protocol.signatures.payloads import read_payload_declaration
from s3protocol.signatures.presented import (
    CredentialScope,
    PayloadDeclaration,
    PayloadMode,
    PresentedSignature,
    SignatureKind,
    SigningContext,
)
from s3protocol.signatures.reading import read_signature
from s3protocol.signatures.verification import SKEW_MAX, verify_signature

__all__ = [
    "SKEW_MAX",
    "CredentialScope",
    "PayloadDeclaration",
    "PayloadMode",
    "PresentedSignature",
    "SignatureKind",
    "SigningContext",
    "read_payload_declaration",
    "read_signature",
    "verify_signature",
]
