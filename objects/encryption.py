"""Server-side encryption: what a version may be encrypted by, what is stored about it, what is shown. Pure.

Each version that is encrypted has a random data key (an upload's parts share the upload's), which encrypts its chunks
(`objects.chunk_cipher`) and is stored wrapped: by the installation's own key (SSE-S3), by a key that clients name
(SSE-KMS), or by a key that they bring (SSE-C). Not for: wrapping and unwrapping (`objects.services.encryption`).

Rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from objects.customer_keys import ALGORITHM, CustomerKey
from s3protocol import errors


class Method(StrEnum):
    """Who wraps the data key. The values of the first two are S3's."""

    SSE_S3 = "AES256"
    SSE_KMS = "aws:kms"
    SSE_C = "customer"


@dataclass(frozen=True, slots=True)
class EncryptionChoice:
    """What a new version is to be encrypted by. For SSE-KMS: the client's reference to a key (None: the default key)."""

    method: Method
    key_reference: str | None = None
    context: str = ""
    has_bucket_key: bool = False
    customer_key: CustomerKey | None = None


@dataclass(frozen=True, slots=True)
class StoredEncryption:
    """What is stored about a version's encryption.

    `wrapped` is the data key as `key` in version `key_version` wrapped it; `key_id` is the key as the client named it;
    `context` is the encryption context as canonical JSON, empty for none.
    """

    method: Method
    wrapped: str
    key: str = ""
    key_version: int = 0
    key_id: str = ""
    context: str = ""
    has_bucket_key: bool = False

    def document(self) -> dict[str, Any]:
        """Render the document of the database's column: what is set."""
        members = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in members.items() if value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> StoredEncryption | None:
        """Read the column; None for a version that is not encrypted."""
        return cls(**{**document, "method": Method(document["method"])}) if document else None

    @property
    def hides_content(self) -> bool:
        """Whether the ETag must not be the MD5 of the content, as for SSE-KMS and SSE-C."""
        return self.method is not Method.SSE_S3


def choose(
    *,
    server_side_encryption: str | None,
    key_id: str | None,
    context: str | None,
    bucket_key_enabled: bool | None,
    customer_key: CustomerKey | None,
) -> EncryptionChoice | None:
    """Read what a request asks for; None when it asks for nothing. Raises InvalidArgument, NotImplemented."""
    if customer_key is not None:
        if server_side_encryption is not None or key_id is not None:
            _refuse(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
                "x-amz-server-side-encryption",
                server_side_encryption,
            )
        return EncryptionChoice(Method.SSE_C, customer_key=customer_key)
    if server_side_encryption != Method.SSE_KMS and (key_id is not None or context is not None):
        _refuse(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
            "x-amz-server-side-encryption",
            server_side_encryption,
        )
    if server_side_encryption is None:
        return None
    return EncryptionChoice(
        _method(server_side_encryption), key_id or None, _canonical_context(context), bool(bucket_key_enabled)
    )


def _method(name: str) -> Method:
    if name == "aws:kms:dsse":
        raise errors.NotImplemented("Dual-layer encryption (aws:kms:dsse) is not implemented.")
    if name not in (Method.SSE_S3, Method.SSE_KMS):
        _refuse("The encryption method specified is not supported", "x-amz-server-side-encryption", name)
    return Method(name)


def _canonical_context(header: str | None) -> str:
    """Read the encryption context: base 64 of a JSON object of strings. Raises InvalidArgument."""
    if not header:
        return ""
    try:
        pairs = json.loads(base64.b64decode(header, validate=True))
    except ValueError:
        pairs = None
    if not isinstance(pairs, dict) or not all(isinstance(value, str) for value in pairs.values()):
        _refuse(
            "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which "
            "represents a string-string map",
            "x-amz-server-side-encryption-context",
            header,
        )
    return json.dumps(pairs, sort_keys=True, separators=(",", ":")) if pairs else ""


def _refuse(message: str, name: str, value: str | None) -> NoReturn:
    raise errors.InvalidArgument(message, ArgumentName=name, ArgumentValue=value or "null")


def choice_of_rule(rule: Mapping[str, Any] | None) -> EncryptionChoice | None:
    """Return what a bucket's rule gives to those that ask for nothing."""
    default = (rule or {}).get("ApplyServerSideEncryptionByDefault")
    if default is None:
        return None
    has_bucket_key = bool((rule or {}).get("BucketKeyEnabled"))
    return EncryptionChoice(Method(default["SSEAlgorithm"]), default.get("KMSMasterKeyID"), "", has_bucket_key)


def may_share_chunks(
    source: StoredEncryption | None,
    source_key: CustomerKey | None,
    choice: EncryptionChoice | None,
) -> bool:
    """Say whether a copy can keep its source's chunks, with the data key at most wrapped anew.

    A customer key alone opens what it encrypted: such a data key is wrapped for nobody else.
    """
    if source is None or choice is None:
        return source is None and choice is None
    if Method.SSE_C in (source.method, choice.method):
        return source.method is choice.method and source_key is not None and source_key.is_same(choice.customer_key)
    return True


def concealed_etag(data_key: bytes, etag: str) -> str:
    """Return an ETag of the same form that only whoever knows the data key could have computed."""
    digest, dash, count = etag.partition("-")
    return hmac.new(data_key, f"etag {digest}".encode(), hashlib.sha256).hexdigest()[:32] + dash + count


def encryption_members(
    stored: StoredEncryption | None, customer_key: CustomerKey | None = None, *, is_write: bool = False
) -> dict[str, Any]:
    """Render a version's encryption as members of an answer; the context only in the answer to a write."""
    if stored is None:
        return {}
    if stored.method is Method.SSE_C:
        shown = {"SSECustomerAlgorithm": ALGORITHM}
        return shown if customer_key is None else {**shown, "SSECustomerKeyMD5": customer_key.md5}
    members: dict[str, Any] = {"ServerSideEncryption": stored.method.value}
    if stored.method is Method.SSE_KMS:
        members["SSEKMSKeyId"] = stored.key_id
        if stored.has_bucket_key:
            members["BucketKeyEnabled"] = True
    if is_write and stored.context:
        members["SSEKMSEncryptionContext"] = base64.b64encode(stored.context.encode()).decode()
    return members
