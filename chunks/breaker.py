"""Which nodes this process leaves alone for a while, because they failed, were late or were full."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SET_ASIDE_SECONDS = 10.0
SET_ASIDE_SECONDS_MAX = 320.0
TRIAL_SECONDS = 1.0
FLAPPING_SECONDS = 60.0


@dataclass(slots=True)
class _SetAside:
    """Until when a node is left alone, for how long it was the last time, and whether it is being tried since."""

    until: float
    seconds: float
    is_on_trial: bool = False


@dataclass(slots=True)
class Breaker:
    """Which nodes to leave alone for a while.

    After that, whoever asks first tries the node, the others TRIAL_SECONDS later, if it has not failed again by then.
    Each time that a node fails soon after it was back, it is left alone twice as long, up to SET_ASIDE_SECONDS_MAX.
    """

    seconds: float = SET_ASIDE_SECONDS
    clock: Callable[[], float] = time.monotonic
    _nodes: dict[int, _SetAside] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set_aside(self, node_id: int) -> None:
        """Leave the node alone from now on, for a while."""
        now = self.clock()
        with self._lock:
            last = self._nodes.get(node_id)
            if last is None or now > last.until + last.seconds + FLAPPING_SECONDS:
                seconds = self.seconds
            elif last.is_on_trial or now >= last.until:
                seconds = min(2 * last.seconds, SET_ASIDE_SECONDS_MAX)
            else:  # another request that was under way
                seconds = last.seconds
            self._nodes[node_id] = _SetAside(now + seconds, seconds)

    def is_resting(self, node_id: int) -> bool:
        """Say whether the node should be left alone, without a claim to try it."""
        found = self._nodes.get(node_id)
        return found is not None and self.clock() < found.until

    def is_set_aside(self, node_id: int) -> bool:
        """Say whether the node should be left alone. Of those who ask when the time is over, the first hears no."""
        found = self._nodes.get(node_id)
        if found is None:
            return False
        now = self.clock()
        if now >= found.until:
            with self._lock:
                # Where nobody asked for that long, there is no crowd to be held back.
                if found.is_on_trial or now > found.until + TRIAL_SECONDS:
                    if now > found.until + found.seconds + FLAPPING_SECONDS and self._nodes.get(node_id) is found:
                        del self._nodes[node_id]
                    return False
                found.is_on_trial, found.until = True, now + TRIAL_SECONDS
            return False
        return True
