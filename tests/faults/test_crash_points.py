"""A dozen crash points of the two hundred; `python -m tests.faults.crash_points --runs 200` is the whole."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live.manage import REPOSITORY

RUN_COUNT = 200 if os.environ.get("OBJSTORE_TEST_SCALE") == "full" else 12


@pytest.mark.timeout(3600)
def test_processes_killed_between_any_two_steps_lose_nothing_and_show_no_halves() -> None:
    seed = os.environ.get("OBJSTORE_TEST_SEED", "0")
    command = [sys.executable, "-m", "tests.faults.crash_points", "--runs", str(RUN_COUNT), "--seed", seed]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 promises broken" in done.stdout
