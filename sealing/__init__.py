"""Seal and open what must be secret at rest: the lowest floor, for whoever keeps a secret in a row.

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


class SecretUnreadable(Exception):
    """A stored secret was sealed with another master key than the configured ones."""


@lru_cache(maxsize=8)
def _sealer(keys: tuple[str, ...], purpose: bytes) -> MultiFernet:
    """Build the sealer for a tuple of master keys, the first of which seals."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, purpose))) for key in keys])


def _derive(master_key: str, purpose: bytes) -> bytes:
    """Derive 32 bytes for a purpose from a master key."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(master_key.encode())


def _current_sealer(purpose: bytes) -> MultiFernet:
    return _sealer((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), purpose)


def seal_bytes(content: bytes, *, purpose: bytes) -> bytes:
    """Encrypt and authenticate bytes; the result is ASCII, fit for a URL. What is sealed for one purpose opens for no other."""
    return _current_sealer(purpose).encrypt(content)


def unseal_bytes(sealed: bytes, *, purpose: bytes) -> bytes:
    """Decrypt what `seal_bytes` sealed. Raises SecretUnreadable when no configured master key fits."""
    try:
        return _current_sealer(purpose).decrypt(sealed)
    except InvalidToken:
        raise SecretUnreadable from None


def reseal_bytes(sealed: bytes, *, purpose: bytes) -> bytes | None:
    """Seal anew, by the current key, what it or one before it has sealed; None where no configured key fits."""
    try:
        return _current_sealer(purpose).rotate(sealed)
    except InvalidToken:
        return None
