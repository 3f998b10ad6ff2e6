"""The supervisor: starts programs, joins their output, starts again what dies, and stops everything in order.

One thread, one loop: the kernel ties a child's death signal to the thread that forked it, and a loop that sees signals,
output and deaths one after another has no races to think about.

Not for: what the programs are (`programs`), and how one becomes a process (`program`).
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from objstore_project.supervisor.output import LINE_BYTES_MAX, JoinedLog
from objstore_project.supervisor.parent_death import adopt_orphans
from objstore_project.supervisor.program import Program, spawn

BACKOFF_SECONDS_MIN = 0.25
BACKOFF_SECONDS_MAX = 10.0
# A process that lived this long has started well: its next death is a first one again.
STABLE_SECONDS = 20.0
TICK_SECONDS = 0.05


class StartFailed(Exception):
    """A program could not be started; the message says which."""


class StopRequested(Exception):
    """A signal asked for the end while something was awaited."""


@dataclass(slots=True)
class Child:
    """A program and its process, if it has one now."""

    program: Program
    process_id: int | None = None
    output: int | None = None
    partial_line: bytes = b""
    started_at: float = 0.0
    deaths: int = 0
    restart_at: float | None = None
    exit_code: int | None = None


class Supervisor:
    """Keeps programs running until a signal asks for the end."""

    def __init__(self, log: JoinedLog, record: Path | None = None) -> None:
        """Write to the log, and keep the process ids by name in the file `record`, for people and scripts."""
        self.log = log
        self.record = record
        self.children: dict[str, Child] = {}
        self.stop_requests = 0
        self.is_restarting = False
        self._selector = selectors.DefaultSelector()
        self._wakeup_read, self._wakeup_write = os.pipe()
        for descriptor in (self._wakeup_read, self._wakeup_write):
            os.set_blocking(descriptor, False)
        self._selector.register(self._wakeup_read, selectors.EVENT_READ, None)

    def take_signals(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP as requests to stop, and wake up when a child dies."""
        adopt_orphans()
        signal.set_wakeup_fd(self._wakeup_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    def _request_stop(self, _number: int, _frame: object) -> None:
        self.stop_requests += 1

    def start(self, programs: Iterable[Program], *, timeout_seconds: float) -> None:
        """Start programs at once and wait until each is ready; StartFailed where one dies first or takes too long."""
        started = []
        for program in programs:
            child = self.children.setdefault(program.name, Child(program))
            self._spawn(child)
            started.append(child)
        waiting = list(started)
        deadline = time.monotonic() + timeout_seconds
        while waiting:
            self._tick()
            if self.stop_requests:
                raise StopRequested
            for child in started:
                if child.process_id is None:
                    raise StartFailed(f"{child.program.name} {describe_exit(child.exit_code)} while starting")
            waiting = [child for child in waiting if child.program.is_ready and not child.program.is_ready()]
            if waiting and time.monotonic() > deadline:
                names = ", ".join(child.program.name for child in waiting)
                raise StartFailed(f"{names}: not ready after {timeout_seconds:.0f} seconds")

    def run_to_end(self, program: Program) -> None:
        """Run a program that does its work and ends; StartFailed where it ends badly."""
        child = self.children[program.name] = Child(program)
        self._spawn(child)
        while child.process_id is not None:
            self._tick()
            if self.stop_requests:
                raise StopRequested
        del self.children[program.name]
        if child.exit_code != 0:
            raise StartFailed(f"{program.name} {describe_exit(child.exit_code)}")

    def supervise(self) -> None:
        """Keep everything running until a stop is requested."""
        self.is_restarting = True
        while not self.stop_requests:
            self._tick(seconds=1.0)
        self.is_restarting = False

    def stop(self, stages: Sequence[Sequence[str]]) -> None:
        """Stop stage after stage, all programs of one at once; a further signal ends everything at once."""
        self.is_restarting = False
        requests_before = self.stop_requests
        for stage in stages:
            children = [self.children[name] for name in stage if name in self.children]
            for child in children:
                child.restart_at = None
                self._signal(child, child.program.stop_signal)
            started_at = time.monotonic()
            is_forced = False
            while any(child.process_id is not None for child in children):
                self._tick()
                is_forced = is_forced or self.stop_requests > max(requests_before, 1)
                for child in children:
                    elapsed = time.monotonic() - started_at
                    if is_forced or elapsed > child.program.stop_seconds:
                        self._signal(child, child.program.kill_signal)
                    if elapsed > child.program.stop_seconds + 5:
                        self._signal(child, signal.SIGKILL)
        self._end_orphans()

    def _spawn(self, child: Child) -> None:
        read, write = os.pipe()
        try:
            child.process_id = spawn(child.program, write)
        except BaseException:
            os.close(read)
            raise
        finally:
            os.close(write)
        os.set_blocking(read, False)
        self._close_output(child)
        child.output, child.partial_line = read, b""
        child.started_at, child.restart_at, child.exit_code = time.monotonic(), None, None
        self._selector.register(read, selectors.EVENT_READ, child)
        self._record_processes()

    def _tick(self, seconds: float = TICK_SECONDS) -> None:
        """Wait for signals and output at most so long; then see to the dead."""
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wakeup_read, 4096)
            else:
                self._read_output(key.data)
        self._reap()
        if self.is_restarting:
            now = time.monotonic()
            for child in self.children.values():
                if child.restart_at is not None and now >= child.restart_at:
                    self._restart(child)

    def _restart(self, child: Child) -> None:
        try:
            self._spawn(child)
        except Exception as error:  # noqa: BLE001  whatever it is, it is tried again later
            self.log.say(f"{child.program.name} cannot start: {' '.join(str(error).split())}")
            child.restart_at = time.monotonic() + BACKOFF_SECONDS_MAX

    def _read_output(self, child: Child) -> None:
        if child.output is None:
            return
        try:
            data = os.read(child.output, LINE_BYTES_MAX)
        except BlockingIOError:
            return
        if not data:
            self._close_output(child)
            return
        *lines, child.partial_line = (child.partial_line + data).split(b"\n")
        for line in lines:
            if not any(noise.encode() in line for noise in child.program.noise):
                self.log.write(child.program.name, line)
        if len(child.partial_line) > LINE_BYTES_MAX:
            self.log.write(child.program.name, child.partial_line)
            child.partial_line = b""

    def _drain_output(self, child: Child) -> None:
        """Read the last words of a dead process, but no more than it can have left in the pipe."""
        for _ in range(2):
            self._read_output(child)

    def _close_output(self, child: Child) -> None:
        if child.output is None:
            return
        if child.partial_line:
            self.log.write(child.program.name, child.partial_line)
        self._selector.unregister(child.output)
        os.close(child.output)
        child.output, child.partial_line = None, b""

    def _reap(self) -> None:
        """Wait for every dead child, adopted ones too."""
        by_process = {child.process_id: child for child in self.children.values() if child.process_id is not None}
        with contextlib.suppress(ChildProcessError):
            while True:
                process_id, status = os.waitpid(-1, os.WNOHANG)
                if process_id == 0:
                    return
                if process_id in by_process:
                    self._bury(by_process[process_id], os.waitstatus_to_exitcode(status))

    def _bury(self, child: Child, exit_code: int) -> None:
        assert child.process_id is not None
        # What the process had forked goes with it: half a program is no program, and would keep its port.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process_id, signal.SIGKILL)
        self._drain_output(child)
        child.process_id, child.exit_code = None, exit_code
        self._record_processes()
        if not self.is_restarting:
            return
        now = time.monotonic()
        child.deaths = 1 if now - child.started_at > STABLE_SECONDS else child.deaths + 1
        delay = min(BACKOFF_SECONDS_MIN * 2 ** (child.deaths - 1), BACKOFF_SECONDS_MAX)
        child.restart_at = now + delay
        self.log.say(f"{child.program.name} {describe_exit(exit_code)}; starting again in {delay:g} s")

    def _record_processes(self) -> None:
        if self.record is None:
            return
        running = {name: child.process_id for name, child in self.children.items() if child.process_id is not None}
        with contextlib.suppress(OSError):
            draft = self.record.with_suffix(".new")
            draft.write_text(json.dumps({"objstore": os.getpid(), **running}, indent=2) + "\n", encoding="utf-8")
            draft.replace(self.record)

    def _signal(self, child: Child, number: signal.Signals) -> None:
        if child.process_id is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(child.process_id, number)
            else:
                os.kill(child.process_id, number)

    def _end_orphans(self) -> None:
        """Kill what programs left behind; as their adopted parent this process knows them all."""
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            self._reap()
            orphans = child_process_ids()
            if not orphans:
                return
            for process_id in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process_id, signal.SIGKILL)
            time.sleep(0.02)


def child_process_ids() -> list[int]:
    """Return the children of this process; none where the system does not tell."""
    try:
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def describe_exit(exit_code: int | None) -> str:
    """Say how a process ended."""
    if exit_code is None:
        return "did not start"
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"stopped with exit status {exit_code}"
