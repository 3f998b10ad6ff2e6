"""A few instances of something that one thread at a time may use."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from chunks.errors import FragmentMissing, NodeUnavailable, NoSpace


class Closable(Protocol):
    """Something that holds a connection."""

    def close(self) -> None:
        """Let go of it."""


T = TypeVar("T", bound=Closable)


class Pool(Generic[T]):
    """Makes instances when they are needed, keeps them, and drops one whose use failed otherwise than by its answer."""

    def __init__(self, make: Callable[[], T], *, size: int, wait_seconds: float) -> None:
        self._make = make
        self._room = threading.BoundedSemaphore(size)
        self._wait_seconds = wait_seconds
        self._idle: list[T] = []
        self._lock = threading.Lock()
        self._is_closed = False

    @contextmanager
    def borrowed(self) -> Iterator[T]:
        """Lend an instance. NodeUnavailable if none becomes free in time."""
        if not self._room.acquire(timeout=self._wait_seconds):
            raise NodeUnavailable("all connections are busy, and none became free in time")
        instance: T | None = None
        try:
            with self._lock:
                instance = self._idle.pop() if self._idle else None
            if instance is None:
                instance = self._make()
            try:
                yield instance
            except (FragmentMissing, NoSpace):  # the storage works, and says so
                self._keep(instance)
                raise
            except BaseException:
                instance.close()
                raise
            self._keep(instance)
        finally:
            self._room.release()

    def _keep(self, instance: T) -> None:
        with self._lock:
            if not self._is_closed:
                self._idle.append(instance)
                return
        instance.close()

    def close(self) -> None:
        """Close what is idle now, and what comes back later."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.close()
