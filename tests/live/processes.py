"""Looking at processes from outside, as tests of a running system do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(claim: Callable[[], bool], what: str, *, seconds: float = 30) -> float:
    """Wait until the claim holds; return how long it took, or fail saying what did not happen."""
    started_at = time.monotonic()
    while time.monotonic() - started_at < seconds:
        if claim():
            return time.monotonic() - started_at
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:g} s in vain: {what}")


def processes_of(data_directory: Path, runtime_directory: Path) -> dict[int, str]:
    """Return all processes that belong to the system of a data directory, by id, with their command lines.

    They have the data directory in their environment, work below it, or name the socket directory.
    """
    found = {}
    mark = f"OBJSTORE_DATA_DIR={data_directory}".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        command = _read(entry / "cmdline").replace(b"\0", b" ").decode("utf-8", "replace").strip()
        if not command:  # a kernel thread, or a zombie
            continue
        works_in = _link(entry / "cwd")
        belongs = (
            mark in _read(entry / "environ").split(b"\0")
            or works_in == str(data_directory)
            or works_in.startswith((f"{data_directory}/", str(runtime_directory)))
            or str(runtime_directory) in command
        )
        if belongs:
            found[int(entry.name)] = command
    return found


def is_running(process_id: int) -> bool:
    """Tell whether the process exists and is no zombie."""
    fields = _read(Path(f"/proc/{process_id}/stat")).rpartition(b")")[2].split()
    return bool(fields) and fields[0] != b"Z"


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
