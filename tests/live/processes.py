"""Looking at processes from outside, as tests of a running system do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


def wait_until(claim: Callable[[], bool], what: str, *, seconds: float = 60) -> float:
    """Wait until the claim holds; return how long it took, or fail saying what did not happen."""
    started_at = time.monotonic()
    while time.monotonic() - started_at < seconds:
        if claim():
            return time.monotonic() - started_at
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as `/proc` shows it; the time of its start tells it from a later one with the same number."""

    process_id: int
    started_at: int
    command: str = field(compare=False)


def processes_of(data_directory: Path, runtime_directory: Path, ancestor_id: int | None = None) -> set[Process]:
    """Return all processes that belong to the system of a data directory.

    They descend from the ancestor, have the data directory in their environment (which those that set their title
    overwrite), work below it, or name the socket directory.
    """
    mark = f"OBJSTORE_DATA_DIR={data_directory}".encode()
    places = (f"{data_directory}/", f"{runtime_directory}/")
    found, parents = {}, {}
    for entry in Path("/proc").iterdir():
        process = _process(entry) if entry.name.isdigit() else None
        if process is None or process.process_id == os.getpid():
            continue
        fields = _stat(process.process_id)
        parents[process] = int(fields[1]) if fields else 0
        works_in = _link(entry / "cwd") + "/"
        if (
            mark in _read(entry / "environ").split(b"\0")
            or works_in.startswith(places)
            or str(runtime_directory) in process.command
        ):
            found[process.process_id] = process
    family = {ancestor_id, *found}
    while new := {
        process for process, parent in parents.items() if parent in family and process.process_id not in family
    }:
        family |= {process.process_id for process in new}
    return {process for process in parents if process.process_id in family}


def _process(entry: Path) -> Process | None:
    fields = _stat(int(entry.name))
    command = _read(entry / "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()
    if not fields or fields[0] == b"Z" or not command:
        return None
    return Process(int(entry.name), int(fields[19]), command)


def _stat(process_id: int) -> list[bytes]:
    """Return the fields of `/proc/N/stat` from the state on, behind the name in parentheses."""
    return _read(Path(f"/proc/{process_id}/stat")).rpartition(b")")[2].split()


def is_running(process: Process) -> bool:
    """Tell whether the process exists and is no zombie."""
    fields = _stat(process.process_id)
    return bool(fields) and fields[0] != b"Z" and int(fields[19]) == process.started_at


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _link(path: Path) -> str:
    try:
        return str(path.readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""
