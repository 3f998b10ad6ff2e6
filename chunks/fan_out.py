"""Do a few slow things at once: one pool of threads per process, for what goes to several nodes.

A task never hands in tasks of its own, so none can wait for a thread that waits for it. Whoever calls does one task
itself, and all that the lane has no room for: when everyone is busy, handing work to another thread only costs.
"""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_THREAD_COUNT = 32


class Lane:
    """A share of the pool: how many tasks of one sort may be in other threads at once."""

    def __init__(self, width: int) -> None:
        self._room = threading.BoundedSemaphore(width)

    def run_all(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """Run every task and return their results in order. What a task raises is raised here."""
        futures = [None, *(self._submit(task) for task in tasks[1:])]
        done_here = {index: tasks[index]() for index, future in enumerate(futures) if future is None}
        return [done_here[index] if future is None else future.result() for index, future in enumerate(futures)]

    def _submit(self, task: Callable[[], T]) -> "Future[T] | None":
        if not self._room.acquire(blocking=False):
            return None
        try:
            future = _pool().submit(task)
        except RuntimeError:  # the interpreter is shutting down; requests under way still finish
            self._room.release()
            return None
        future.add_done_callback(lambda _: self._room.release())
        return future


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREAD_COUNT, thread_name_prefix="fragments")


os.register_at_fork(after_in_child=_pool.cache_clear)  # the threads stay behind in the parent
