"""Key management as this installation has it, and writes of keys."""

from __future__ import annotations

import os
from contextlib import suppress

from django.conf import settings

from keymanagement.data_key_cache import RememberingKeyManagement
from keymanagement.errors import KeyExists, KeyNotFound
from keymanagement.local import LocalKeyRing
from keymanagement.names import BUILT_IN_KEYS, is_valid_key_name
from keymanagement.protocol import KeyManagement, WrappedKey
from keymanagement.vault import VaultTransit

_current: KeyManagement | None = None


def current() -> KeyManagement:
    """Return the process's key management: Vault where one is configured, the local ring otherwise."""
    global _current  # noqa: PLW0603  one for the process, made when it is first needed
    if _current is None:
        _current = RememberingKeyManagement(_configured())
    return _current


def _configured() -> KeyManagement:
    if settings.OBJSTORE_VAULT_URL:
        return VaultTransit(
            settings.OBJSTORE_VAULT_URL, settings.OBJSTORE_VAULT_TOKEN or "", settings.OBJSTORE_VAULT_MOUNT
        )
    return LocalKeyRing()


def wrap_data_key(name: str, data_key: bytes, context: bytes) -> WrappedKey:
    """Wrap a data key; a built-in key is made when it is first needed. Raises KeyNotFound, KeyDisabled."""
    try:
        return current().wrap(name, data_key, context)
    except KeyNotFound:
        if name not in BUILT_IN_KEYS:
            raise
    with suppress(KeyExists):  # another process was quicker
        current().create_key(name)
    return current().wrap(name, data_key, context)


def unwrap_data_key(wrapped: WrappedKey, context: bytes) -> bytes:
    """Return a data key. Raises KeyNotFound, KeyDisabled, WrapInvalid. Asks nobody for one that is remembered."""
    return current().unwrap(wrapped, context)


def create_key(name: str) -> None:
    """Make a key. Raises KeyExists, ValueError for a name that cannot be."""
    if not is_valid_key_name(name):
        raise ValueError(f"{name!r} is no name for a key: letters, digits, '_', '.' and '-', at most 128")
    current().create_key(name)


def rotate_key(name: str) -> int:
    """Give a key a new version; what older ones wrapped is wrapped anew by a duty. Raises KeyNotFound."""
    return current().rotate_key(name)


def _forget_after_fork() -> None:
    global _current  # noqa: PLW0603  a child must not share locks that its parent's threads may hold
    _current = None


os.register_at_fork(after_in_child=_forget_after_fork)
