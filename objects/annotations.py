"""What an annotation may be called and hold, and how the payload of an encrypted version's is sealed. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html

    sealed payload  =  nonce, 12 random bytes | AES-256-GCM of the payload | tag, 16 bytes

under HKDF-SHA256 of the version's data key, with the annotation's name as associated data: what is copied together with
its version stays readable, under another name it does not.
"""

from __future__ import annotations

import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from s3protocol import errors

NAME_BYTES_MAX = 512
PAYLOAD_BYTES_MAX = 1 << 20
COUNT_MAX = 1_000
NONCE_BYTES = 12

_INFO = b"objstore annotation 1"


def checked_name(name: str) -> str:
    """Return a name that an annotation may have. Raises InvalidAnnotationName, AnnotationNameTooLong."""
    if not name or any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        raise errors.InvalidAnnotationName
    if len(name.encode()) > NAME_BYTES_MAX:
        raise errors.AnnotationNameTooLong
    return name


def checked_payload(payload: bytes) -> bytes:
    """Return a payload that may be kept: text of 1 byte to 1 MiB. Raises InvalidRequest, EntityTooLarge, UnsupportedMediaType."""
    if not payload:
        raise errors.InvalidRequest("The annotation payload must be between 1 byte and 1 MiB in size.")
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise errors.EntityTooLarge(ProposedSize=str(len(payload)), MaxSizeAllowed=str(PAYLOAD_BYTES_MAX))
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise errors.UnsupportedMediaType("The annotation payload is not valid UTF-8 encoded text.") from None
    return payload


def seal_payload(data_key: bytes, name: str, payload: bytes, *, nonce: bytes) -> bytes:
    """Encrypt a payload; the nonce is fresh randomness."""
    assert len(nonce) == NONCE_BYTES
    return nonce + _cipher(data_key).encrypt(nonce, payload, name.encode())


def open_payload(data_key: bytes, name: str, sealed: bytes) -> bytes:
    """Decrypt a payload. Raises cryptography's InvalidTag for one that was changed."""
    return _cipher(data_key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())


def _cipher(data_key: bytes) -> AESGCM:
    return AESGCM(HKDFExpand(algorithm=SHA256(), length=32, info=_INFO).derive(data_key))
