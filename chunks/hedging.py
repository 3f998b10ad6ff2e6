"""When to stop waiting for a node, and the threads that wait instead of a request.

A read that the page cache answers is done where it is asked for. One that has to wait is handed to a thread, so that
whoever asked can go on without it: once it takes longer than 95 of 100 of that node's recent reads did, it is raced
against reading others and reconstructing (J. Dean and L. Barroso, "The tail at scale", CACM 56(2), 2013).

Races are extra load just when something is slow. So each read that waits earns a twentieth of one, and ten can be saved
up. A node that is late three times in a row, or does not answer at all, is set aside as slow: it is then asked last,
which costs no race, until a single read after a while finds it well.
"""

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")

PERCENTILE = 0.95
SAMPLES_KEPT = 128
SAMPLES_MIN = 16
# Below this, waiting costs less than racing; above it, a node is slow, whatever its habits.
PATIENCE_SECONDS_MIN = 0.02
PATIENCE_SECONDS_MAX = 0.5
PATIENCE_SECONDS_UNKNOWN = 0.25
GIVE_UP_SECONDS = 5.0
# Where nobody else is left to be asked, and longer than a storage may take: a read is not refused because all are slow.
LAST_RESORT_SECONDS = 12.0
RACES_PER_READ = 0.05
RACES_SAVED_MAX = 10.0
LATE_IN_A_ROW_MAX = 3
THREADS_MAX = 128
THREADS_PER_SLOW_NODE_MAX = 4


@dataclass(slots=True)
class Hedging:
    """What this process knows of the pace of its nodes. Safe to use from many threads."""

    clock: Callable[[], float] = time.monotonic
    races_left: float = RACES_SAVED_MAX
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _paces: dict[int, "_Pace"] = field(default_factory=dict)
    _under_way: dict[int, dict[int, float]] = field(default_factory=dict)
    _late: Counter[int] = field(default_factory=Counter)

    def patience_seconds(self, node_id: int) -> float:
        """Return how long a read from this node may take before others are asked."""
        pace = self._paces.get(node_id)
        return PATIENCE_SECONDS_UNKNOWN if pace is None else pace.patience_seconds

    def may_race(self) -> bool:
        """Say whether a race may be run now, and count it."""
        with self._lock:
            if self.races_left < 1.0:
                return False
            self.races_left -= 1.0
            return True

    def note_late(self, node_id: int) -> bool:
        """Count a read that did not come in time; say whether the node has been late too often."""
        with self._lock:
            self._late[node_id] += 1
            is_slow = self._late[node_id] >= LATE_IN_A_ROW_MAX
            if is_slow:
                del self._late[node_id]
            return is_slow

    def is_stuck(self, node_id: int) -> bool:
        """Say whether so many reads hang on this node that no further thread should."""
        under_way = self._under_way.get(node_id)
        if not under_way or len(under_way) < THREADS_PER_SLOW_NODE_MAX:
            return False
        with self._lock:
            started_at = sorted(under_way.values())[THREADS_PER_SLOW_NODE_MAX - 1 : THREADS_PER_SLOW_NODE_MAX]
        return bool(started_at) and self.clock() - started_at[0] > PATIENCE_SECONDS_MAX

    def begin(self, node_id: int, token: int) -> float:
        """Note that a read begins; return when."""
        now = self.clock()
        with self._lock:
            self._under_way.setdefault(node_id, {})[token] = now
            self.races_left = min(RACES_SAVED_MAX, self.races_left + RACES_PER_READ)
        return now

    def end(self, node_id: int, token: int, started_at: float) -> None:
        """Note that a read has ended, well or not."""
        seconds = self.clock() - started_at
        with self._lock:
            self._under_way[node_id].pop(token, None)
            pace = self._paces.setdefault(node_id, _Pace())
            if seconds <= pace.patience_seconds:
                self._late.pop(node_id, None)
            pace.add(seconds)


class _Pace:
    """How long the recent reads of a node took, of those that had to wait."""

    __slots__ = ("_count", "_seconds", "patience_seconds")

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=SAMPLES_KEPT)
        self._count = 0
        self.patience_seconds = PATIENCE_SECONDS_UNKNOWN

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)
        self._count += 1
        if self._count % SAMPLES_MIN == 0:
            ordered = sorted(self._seconds)
            usual = ordered[int(len(ordered) * PERCENTILE)]
            self.patience_seconds = min(max(usual, PATIENCE_SECONDS_MIN), PATIENCE_SECONDS_MAX)


class Race(Generic[T]):
    """Reads from several nodes at once, taken as they come."""

    def __init__(self, hedging: Hedging) -> None:
        self._hedging = hedging
        self._answers: SimpleQueue[tuple[int, T | Exception]] = SimpleQueue()
        self.running: set[int] = set()

    def ask(self, runner: int, node_id: int, read: Callable[[], T]) -> None:
        """Begin a read in another thread."""
        self.running.add(runner)

        def run() -> None:
            token = id(run)
            started_at = self._hedging.begin(node_id, token)
            answer: T | Exception
            try:
                answer = read()
            except Exception as error:  # noqa: BLE001  raised where the answer is taken
                answer = error
            self._hedging.end(node_id, token, started_at)
            self._answers.put((runner, answer))

        _threads.submit(run)

    def next_answer(self, seconds: float) -> tuple[int, T | Exception] | None:
        """Return the next that has come in, waiting for so long at most."""
        try:
            runner, answer = self._answers.get(timeout=max(seconds, 0.0))
        except Empty:
            return None
        self.running.discard(runner)
        return runner, answer


class _Threads:
    """Daemon threads, started as they are needed: one that hangs on a dead disk must not keep a process from ending."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._idle = 0

    def submit(self, task: Callable[[], None]) -> None:
        """Have a task done by the next thread that is free."""
        with self._lock:
            is_new = self._idle == 0 and self._count < self._limit
            if is_new:
                self._count += 1
            elif self._idle:
                self._idle -= 1
        self._tasks.put(task)
        if is_new:
            threading.Thread(target=self._work, name="waiting read", daemon=True).start()

    def _work(self) -> None:
        while True:
            self._tasks.get()()
            with self._lock:
                self._idle += 1


_threads = _Threads(THREADS_MAX)


def _forget_after_fork() -> None:
    global _threads  # noqa: PLW0603  the threads stay behind in the parent
    _threads = _Threads(THREADS_MAX)


os.register_at_fork(after_in_child=_forget_after_fork)
