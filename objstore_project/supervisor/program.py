"""What the supervisor runs: a program is a value; `spawn` makes a process of it.

Each process leads a session of its own, so that the terminal's Ctrl-C reaches the supervisor alone and one signal
reaches the whole group; and each is ended by the kernel if the supervisor dies.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from objstore_project.supervisor.parent_death import die_with_parent
from objstore_project.supervisor.server_user import ServerUser, become, enter_directory

# No supervisor has as many open: it holds a pipe for each program, and a handful of others.
DESCRIPTORS_MAX = 256


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Program:
    """How to start, probe and stop one process of the system."""

    name: str
    arguments: tuple[str, ...] = ()
    # Runs in a forked process of this one, with its environment, instead of the arguments.
    function: Callable[[], None] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    user: ServerUser | None = None
    # Entered before privileges are dropped; the program reaches it as REACHED_DIRECTORY.
    directory: Path | None = None
    before_start: Callable[[], None] = _nothing
    is_ready: Callable[[], bool] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5
    # What ends the process where the stop signal did not, and at the supervisor's sudden death.
    kill_signal: signal.Signals = signal.SIGKILL
    # Lines that hold one of these say nothing worth reading.
    noise: tuple[str, ...] = ()


def spawn(program: Program, output: int) -> int:
    """Start the process with its output on the descriptor; return its id.

    The calling process must have one thread, which lives as long as the child shall: the kernel ties the death signal
    to the thread.
    """
    program.before_start()
    parent_id = os.getpid()
    process_id = os.fork()
    if process_id:
        return process_id
    try:
        _become_child(program, output, parent_id)
        if program.function is not None:
            # What this process has open is not the child's: its hold on the data directory, others' output.
            os.closerange(3, DESCRIPTORS_MAX)
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python starts: who writes to a peer that is gone is told
            program.function()
            sys.stdout.flush()
            os._exit(0)
        os.execve(program.arguments[0], program.arguments, {**program.environment})  # noqa: S606  our own programs
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr, flush=True)  # noqa: T201  the output of a program
        os._exit(error.code if isinstance(error.code, int) else 1)
    except BaseException:  # noqa: BLE001  nothing may unwind into the supervisor's own stack
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)


def _become_child(program: Program, output: int, parent_id: int) -> None:
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115  what the old one buffered is the parent's
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    if program.directory is not None:
        enter_directory(program.directory)
    if program.user is not None:
        become(program.user)
    # After the change of user, which would forget the wish.
    die_with_parent(parent_id, program.kill_signal)
