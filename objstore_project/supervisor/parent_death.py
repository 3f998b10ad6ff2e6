"""Processes that end when the process that started them does, however it ends.

Linux sends a process the signal that it asked for when its parent dies, also by `kill -9`. A child keeps the wish
through `exec`, not through `fork` nor a change of user: each generation asks for itself. Other systems have nothing
like it; there an orphan must be ended by hand.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def die_with_parent(parent_id: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask for the signal at the parent's death; leave at once where the parent is dead already."""
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent_id:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents die, so that they can be waited for and ended."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_forked_children_with_this_process() -> None:
    """Make each child that this process forks from now on die with it: for servers that fork workers."""
    parent_ids: list[int] = []
    os.register_at_fork(
        before=lambda: parent_ids.append(os.getpid()),
        after_in_parent=parent_ids.clear,
        after_in_child=lambda: die_with_parent(parent_ids[-1]),
    )
