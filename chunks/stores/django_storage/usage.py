"""How full a storage is that knows no end itself, against the capacity that people stated.

What lies there is counted by listing it, in a thread of its own and now and then; what this process writes meanwhile is
added. An estimate, then: another process's writes are seen with the next count, so a capacity is to be stated with room
to spare. Until the first count is done, nothing is known.
"""

import threading
import time
from collections.abc import Callable, Iterable

from chunks.errors import ChunkError
from chunks.stores.protocol import StoredFragment, StoreSpace

COUNT_EVERY_SECONDS = 900.0


class Usage:
    """The estimate of one store in one process."""

    def __init__(
        self,
        capacity_bytes: int,
        list_all: Callable[[], Iterable[StoredFragment]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity_bytes = capacity_bytes
        self._list_all = list_all
        self._clock = clock
        self._lock = threading.Lock()
        self._used_bytes: int | None = None
        self._added_bytes = 0
        self._due_at = float("-inf")

    def add(self, size_bytes: int) -> None:
        """Count what was written."""
        with self._lock:
            self._added_bytes += size_bytes

    def space(self) -> StoreSpace | None:
        """Return the estimate; None before the first count. Begins a count that is due."""
        with self._lock:
            is_due = self._clock() >= self._due_at
            if is_due:
                self._due_at = self._clock() + COUNT_EVERY_SECONDS
            used = None if self._used_bytes is None else self._used_bytes + self._added_bytes
        if is_due:
            threading.Thread(target=self.count, name="storage usage", daemon=True).start()
        return None if used is None else StoreSpace(self._capacity_bytes, max(0, self._capacity_bytes - used))

    def count(self) -> None:
        """List everything, and replace the estimate. What is written meanwhile may be counted twice, until the next."""
        with self._lock:
            added_before = self._added_bytes
        try:
            used = sum(found.size_bytes for found in self._list_all())
        except ChunkError:
            return  # the estimate stays; the next count corrects it
        with self._lock:
            self._used_bytes = used
            self._added_bytes -= added_before
