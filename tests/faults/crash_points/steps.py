"""The steps that a process takes, counted; and its end at one of them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

# What changes a node's directory; paths are relative to the handle of its root.
_AUDITED = {"open": 0, "os.rename": 1, "os.remove": 0, "os.link": 1, "os.truncate": 0}
_PLACES = ("fragments/", "segments/", "identity", "probe")


class Steps:
    """Counts from the moment that it is told to; kills the process before the step of the given number."""

    def __init__(self) -> None:
        self.count = 0
        self._kill_at = 0
        self._is_counting = False
        self._lock = threading.Lock()
        self._log = -1

    def begin(self, kill_at: int, log: int) -> None:
        """Count from here, in this process; each step's name is written to the descriptor before it is taken."""
        self._kill_at, self._log = kill_at, log
        self._is_counting = True
        sys.addaudithook(self._hear)

    def take(self, name: str) -> None:
        """Come to a step."""
        if not self._is_counting:
            return
        with self._lock:
            self.count += 1
            os.write(self._log, f"{name}\n".encode())
            if self.count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        position = _AUDITED.get(event)
        if position is None or not self._is_counting:
            return
        path = arguments[position]
        if isinstance(path, str) and path.startswith(_PLACES):
            is_read = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if not is_read:
                self.take(f"{event} {path.rpartition('.')[2] if path.endswith('.tmp') else 'fragment'}")


STEPS = Steps()
