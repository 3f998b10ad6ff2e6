"""PostgreSQL's lock file outlives a crash; a new start finds out whose it is."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from objstore_project.environment import ConfigurationError
from objstore_project.supervisor import postgresql
from objstore_project.supervisor.postgresql import clear_predecessor


def lock_file(directory: Path, process_id: object) -> Path:
    path = directory / "postmaster.pid"
    path.write_text(f"{process_id}\n/proc/self/fd/9\n")
    return path


def test_the_lock_of_a_process_that_is_something_else_now_is_removed(tmp_path: Path) -> None:
    path = lock_file(tmp_path, os.getpid())
    clear_predecessor(tmp_path)
    assert not path.exists()


def test_the_lock_of_a_process_that_is_gone_is_removed(tmp_path: Path) -> None:
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    path = lock_file(tmp_path, process.pid)
    clear_predecessor(tmp_path)
    assert not path.exists()


@pytest.mark.parametrize("content", ["", "not a number"])
def test_what_is_no_lock_is_left_to_the_server(tmp_path: Path, content: str) -> None:
    path = lock_file(tmp_path, content)
    clear_predecessor(tmp_path)
    assert path.exists()


def test_a_server_that_still_works_in_the_cluster_is_asked_to_end_and_awaited(tmp_path: Path) -> None:
    # Whoever starts the tests in the background of a script has them ignore SIGQUIT, which goes to children.
    process = subprocess.Popen(["/usr/bin/env", "--default-signal=QUIT", "/bin/sleep", "60"], cwd=tmp_path)
    path = lock_file(tmp_path, process.pid)
    waiting = threading.Thread(target=process.wait)  # as the kernel's first process would for an orphan
    waiting.start()
    try:
        clear_predecessor(tmp_path)
    finally:
        process.kill()
        waiting.join()
    assert process.returncode == -signal.SIGQUIT
    assert not path.exists()


def test_a_server_that_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "PREDECESSOR_SECONDS", 0.3)
    process = subprocess.Popen(["/bin/sh", "-c", "trap '' QUIT; echo; sleep 60"], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    lock_file(tmp_path, process.pid)
    try:
        with pytest.raises(ConfigurationError, match=f"process id {process.pid} holds .* and does not end"):
            clear_predecessor(tmp_path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
