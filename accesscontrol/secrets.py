"""Seal and open what must be secret at rest.

The key comes from the `SECRET_KEY` setting (and its predecessors, `SECRET_KEY_FALLBACKS`, for opening only) through
HKDF (RFC 5869), so that a copy of the database alone opens nothing. Sealing is Fernet: AES-128-CBC with HMAC-SHA256.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from accesscontrol.errors import SecretUnreadable

PURPOSE = b"objstore access keys"


@lru_cache(maxsize=8)
def _sealer(keys: tuple[str, ...], purpose: bytes) -> MultiFernet:
    """Build the sealer for a tuple of master keys, the first of which seals."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, purpose))) for key in keys])


def _derive(master_key: str, purpose: bytes) -> bytes:
    """Derive 32 bytes for a purpose from a master key."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master_key.encode())


def _current_sealer(purpose: bytes) -> MultiFernet:
    return _sealer((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose)


def seal(text: str, *, purpose: bytes = PURPOSE) -> bytes:
    """Encrypt and authenticate a secret for storage. What is sealed for one purpose opens for no other."""
    return seal_bytes(text.encode(), purpose=purpose)


def seal_bytes(content: bytes, *, purpose: bytes) -> bytes:
    """Encrypt and authenticate bytes; the result is ASCII, fit for a URL."""
    return _current_sealer(purpose).encrypt(content)


def unseal(sealed: bytes | memoryview, *, purpose: bytes = PURPOSE) -> str:
    """Decrypt a stored secret. Raises SecretUnreadable when no configured master key fits."""
    return unseal_bytes(bytes(sealed), purpose=purpose).decode()


def unseal_bytes(sealed: bytes, *, purpose: bytes) -> bytes:
    """Decrypt what `seal_bytes` sealed. Raises SecretUnreadable."""
    try:
        return _current_sealer(purpose).decrypt(sealed)
    except InvalidToken:
        raise SecretUnreadable from None
