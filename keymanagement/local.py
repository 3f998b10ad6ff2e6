"""The local key ring: keys in the database, their material sealed by the master secret (OBJSTORE_SECRET_KEY).

Theory. Wrapping is AES-256-GCM under a key derived by HKDF-SHA256 from the version's material and 32 random bytes of
salt. Each derived key seals once, so the nonce is zero and the number of wraps under one version is not limited:

    text  =  base64url( salt, 32 bytes | wrapped data key, 32 bytes | tag, 16 bytes )

The associated data is the key's name and version, and the caller's context. Keys read from the database are remembered
for REMEMBERED_SECONDS; a version that another process made is looked up when it is met.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
import time
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, transaction

from accesscontrol.errors import SecretUnreadable
from accesscontrol.secrets import seal, unseal
from keymanagement.errors import KeyDisabled, KeyExists, KeyManagementUnavailable, KeyNotFound, WrapInvalid
from keymanagement.models import Key, KeyVersion
from keymanagement.protocol import WrappedKey

REMEMBERED_SECONDS = 30.0

_MATERIAL_BYTES = 32
_SALT_BYTES = 32
_PURPOSE = b"objstore key ring"
_INFO = b"objstore data key wrap 1"
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True)
class _RingKey:
    """A key as it was read: its usable versions in the clear."""

    is_enabled: bool
    materials: dict[int, bytes] = field(repr=False)
    read_at: float

    @property
    def newest(self) -> int:
        return max(self.materials)


class LocalKeyRing:
    """Keys of this installation. One query for a key that is not remembered."""

    def __init__(self) -> None:
        self._keys: dict[str, _RingKey] = {}
        self._lock = threading.Lock()

    def create_key(self, name: str) -> None:
        """Make a key with its first version. Raises KeyExists."""
        try:
            with transaction.atomic():
                _add_version(Key.objects.create(name=name), 1)
        except IntegrityError:
            raise KeyExists(name) from None

    def rotate_key(self, name: str) -> int:
        """Give a key a new version and return its number. Raises KeyNotFound. The rival is another rotation."""
        with transaction.atomic():
            key = Key.objects.select_for_update().filter(name=name).first()
            if key is None:
                raise KeyNotFound(name)
            newest = KeyVersion.objects.filter(key=key).order_by("-version").values_list("version", flat=True)[0]
            _add_version(key, newest + 1)
        self._forget(name)
        return newest + 1

    def newest_version(self, name: str) -> int:
        """Return the number of the version that wraps. Raises KeyNotFound, KeyDisabled."""
        return self._usable(name).newest

    def list_key_names(self) -> list[str]:
        """Return the names of all keys, in order. One query."""
        return list(Key.objects.order_by("name").values_list("name", flat=True))

    def wrap(self, name: str, data_key: bytes, context: bytes) -> WrappedKey:
        """Wrap a data key with the newest version. Raises KeyNotFound, KeyDisabled."""
        key = self._usable(name)
        salt = os.urandom(_SALT_BYTES)
        cipher = _cipher(key.materials[key.newest], salt)
        sealed = cipher.encrypt(_NONCE, data_key, _associated(name, key.newest, context))
        return WrappedKey(name, key.newest, base64.urlsafe_b64encode(salt + sealed).decode())

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Return the data key. Raises KeyNotFound, KeyDisabled, WrapInvalid."""
        key = self._usable(wrapped.key_name)
        if wrapped.key_version not in key.materials:
            self._forget(wrapped.key_name)
            key = self._usable(wrapped.key_name)
        material = key.materials.get(wrapped.key_version)
        if material is None:
            raise WrapInvalid(f"key {wrapped.key_name} has no version {wrapped.key_version}")
        associated = _associated(wrapped.key_name, wrapped.key_version, context)
        try:
            sealed = base64.b64decode(wrapped.text, altchars=b"-_", validate=True)
            return _cipher(material, sealed[:_SALT_BYTES]).decrypt(_NONCE, sealed[_SALT_BYTES:], associated)
        except (InvalidTag, binascii.Error, ValueError):
            raise WrapInvalid(f"a data key does not open with key {wrapped.key_name}") from None

    def _usable(self, name: str) -> _RingKey:
        key = self._keys.get(name)
        if key is None or time.monotonic() - key.read_at > REMEMBERED_SECONDS:
            key = _read_key(name)
            with self._lock:
                self._keys[name] = key
        if not key.is_enabled:
            raise KeyDisabled(name)
        return key

    def _forget(self, name: str) -> None:
        with self._lock:
            self._keys.pop(name, None)


def _read_key(name: str) -> _RingKey:
    rows = list(KeyVersion.objects.filter(key__name=name).values_list("key__is_enabled", "version", "sealed_material"))
    if not rows:
        raise KeyNotFound(name)
    try:
        materials = {version: base64.b64decode(unseal(sealed, purpose=_PURPOSE)) for _, version, sealed in rows}
    except SecretUnreadable:
        raise KeyManagementUnavailable(f"key {name} was sealed by a master secret that is not configured") from None
    return _RingKey(rows[0][0], materials, time.monotonic())


def _add_version(key: Key, version: int) -> None:
    material = base64.b64encode(os.urandom(_MATERIAL_BYTES)).decode()
    KeyVersion.objects.create(key=key, version=version, sealed_material=seal(material, purpose=_PURPOSE))


def _cipher(material: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO).derive(material))


def _associated(name: str, version: int, context: bytes) -> bytes:
    return f"{name}:{version}:".encode() + context
