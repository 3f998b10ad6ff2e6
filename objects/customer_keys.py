"""Keys that customers bring and keep (SSE-C): read from headers, and used to wrap a version's data key. Pure.

A customer key is never stored, nor anything from which it could be told. What is stored is the data key, wrapped:

    text  =  base64url( salt, 32 bytes | AES-256-GCM of the data key, 32 bytes | tag, 16 bytes )

under HKDF-SHA256 of customer key and salt. The tag is at once the salted verifier: a wrong key fails to open it. As each
derived key seals once, the nonce is zero.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from s3protocol import errors

ALGORITHM = "AES256"
KEY_BYTES = 32
SALT_BYTES = 32

_INFO = b"objstore customer key wrap 1"
_NONCE = bytes(12)
_PREFIX = "Requests specifying Server Side Encryption with Customer provided keys must provide"


class WrongCustomerKey(Exception):
    """The data key does not open with this customer key."""


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A customer's key and its MD5 in base 64, by which client and server make sure that they mean the same."""

    key: bytes = field(repr=False)
    md5: str

    def is_same(self, other: CustomerKey | None) -> bool:
        """Compare without telling by the time it takes."""
        return other is not None and hmac.compare_digest(self.key, other.key)


def parse_customer_key(
    algorithm: str | None, key: str | None, key_md5: str | None, *, header_prefix: str = "x-amz"
) -> CustomerKey | None:
    """Read the three headers of a customer key; None without any. Raises InvalidArgument.

    `header_prefix` tells the headers of a copy's source (`x-amz-copy-source`) from the others. Keys are taken over plain
    HTTP too, which AWS refuses: whether the way is safe is for whoever runs the server to say.
    """
    if algorithm is None and key is None and key_md5 is None:
        return None
    name = f"{header_prefix}-server-side-encryption-customer"
    if algorithm != ALGORITHM:
        _refuse(f"{_PREFIX} a valid encryption algorithm.", f"{name}-algorithm", algorithm)
    if key is None:
        _refuse(f"{_PREFIX} an appropriate secret key.", f"{name}-key", None)
    if key_md5 is None:
        _refuse(f"{_PREFIX} the client calculated MD5 of the secret key.", f"{name}-key-MD5", None)
    decoded = _decode(key)
    # The key itself must not come back in an error.
    if len(decoded) != KEY_BYTES:
        _refuse("The secret key was invalid for the specified algorithm.", f"{name}-key", None)
    md5 = hashlib.md5(decoded, usedforsecurity=False).digest()
    if not hmac.compare_digest(md5, _decode(key_md5)):
        _refuse("The calculated MD5 hash of the key did not match the hash that was provided.", f"{name}-key-MD5", None)
    return CustomerKey(decoded, base64.b64encode(md5).decode())


def _decode(text: str | None) -> bytes:
    """Decode base 64; what is none decodes to nothing, which no key is."""
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _refuse(message: str, name: str, value: str | None) -> NoReturn:
    raise errors.InvalidArgument(message, ArgumentName=name, ArgumentValue=value or "null")


def wrap_by_customer(customer_key: CustomerKey, data_key: bytes, *, salt: bytes) -> str:
    """Wrap a data key; `salt` is SALT_BYTES of fresh randomness."""
    assert len(salt) == SALT_BYTES
    sealed = _cipher(customer_key, salt).encrypt(_NONCE, data_key, None)
    return base64.urlsafe_b64encode(salt + sealed).decode()


def unwrap_by_customer(customer_key: CustomerKey, wrapped: str) -> bytes:
    """Return the data key. Raises WrongCustomerKey."""
    sealed = base64.urlsafe_b64decode(wrapped)
    try:
        return _cipher(customer_key, sealed[:SALT_BYTES]).decrypt(_NONCE, sealed[SALT_BYTES:], None)
    except InvalidTag:
        raise WrongCustomerKey from None


def _cipher(customer_key: CustomerKey, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO).derive(customer_key.key))
