"""The port of key management: what wraps data keys, whoever holds the wrapping keys.

A key has a name and versions; the newest version wraps, every version unwraps. The context is bytes that must be the
same when unwrapping. An implementation never hands out a wrapping key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it may be stored: what `key_name`, in version `key_version`, made of it."""

    key_name: str
    key_version: int
    text: str


class KeyManagement(Protocol):
    """Wraps and unwraps data keys. Safe to use from many threads. Every method may raise KeyManagementUnavailable."""

    def create_key(self, name: str) -> None:
        """Make a key with its first version. Raises KeyExists."""

    def rotate_key(self, name: str) -> int:
        """Give a key a new version, which wraps from now on, and return its number. Raises KeyNotFound."""

    def newest_version(self, name: str) -> int:
        """Return the number of the version that wraps. Raises KeyNotFound, KeyDisabled."""

    def list_key_names(self) -> list[str]:
        """Return the names of all keys, in order."""

    def wrap(self, name: str, data_key: bytes, context: bytes) -> WrappedKey:
        """Wrap a data key with the newest version. Raises KeyNotFound, KeyDisabled."""

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Return the data key. Raises KeyNotFound, KeyDisabled, WrapInvalid."""
