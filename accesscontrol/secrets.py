"""Seal and open the secrets of access control: `sealing`, for the purpose of access keys unless another is named."""

from __future__ import annotations

from sealing import seal_bytes, unseal_bytes

__all__ = ["PURPOSE", "seal", "seal_bytes", "unseal", "unseal_bytes"]

PURPOSE = b"objstore access keys"


def seal(text: str, *, purpose: bytes = PURPOSE) -> bytes:
    """Encrypt and authenticate a secret for storage. What is sealed for one purpose opens for no other."""
    return seal_bytes(text.encode(), purpose=purpose)


def unseal(sealed: bytes | memoryview, *, purpose: bytes = PURPOSE) -> str:
    """Decrypt a stored secret. Raises SecretUnreadable when no configured master key fits."""
    return unseal_bytes(bytes(sealed), purpose=purpose).decode()
