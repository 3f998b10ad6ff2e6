"""Unwrapped data keys, remembered in memory: a bounded number, for a bounded time.

It stands before any implementation of the port, so that reading an object again asks nobody. A key that is disabled
still opens for at most REMEMBERED_SECONDS what was opened before.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from keymanagement.protocol import KeyManagement, WrappedKey

REMEMBERED_SECONDS = 60.0
REMEMBERED_COUNT = 4_096


class RememberingKeyManagement:
    """A key management that remembers what it unwrapped."""

    def __init__(self, inner: KeyManagement) -> None:
        self._inner = inner
        self._known: OrderedDict[tuple[WrappedKey, bytes], tuple[bytes, float]] = OrderedDict()
        self._lock = threading.Lock()
        self.create_key = inner.create_key
        self.rotate_key = inner.rotate_key
        self.newest_version = inner.newest_version
        self.list_key_names = inner.list_key_names

    def wrap(self, name: str, data_key: bytes, context: bytes) -> WrappedKey:
        """Wrap a data key, which is likely to be asked for soon."""
        wrapped = self._inner.wrap(name, data_key, context)
        self._remember((wrapped, context), data_key)
        return wrapped

    def unwrap(self, wrapped: WrappedKey, context: bytes) -> bytes:
        """Return the data key, from memory if it is known."""
        known = self._known.get((wrapped, context))
        if known is not None and time.monotonic() - known[1] < REMEMBERED_SECONDS:
            return known[0]
        data_key = self._inner.unwrap(wrapped, context)
        self._remember((wrapped, context), data_key)
        return data_key

    def _remember(self, name: tuple[WrappedKey, bytes], data_key: bytes) -> None:
        with self._lock:
            self._known[name] = data_key, time.monotonic()
            self._known.move_to_end(name)
            while len(self._known) > REMEMBERED_COUNT:
                self._known.popitem(last=False)
