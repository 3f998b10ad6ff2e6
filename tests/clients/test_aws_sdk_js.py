"""The AWS SDK for JavaScript, version 3: a program that uses it, run by Node. Needs npm's registry, else it is skipped."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.tools import find_program
from tests.live.system import LiveSystem

SOURCE = Path(__file__).parent / "javascript"


@pytest.fixture
def program(home: Path, aws_environment: dict[str, str]) -> Path:
    """The program, with the packages that it needs beside it."""
    npm = find_program("npm", "apt-get install npm")
    for name in ("package.json", "use.mjs"):
        shutil.copy(SOURCE / name, home)
    try:
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--fetch-retries=0", "--fetch-timeout=20000"],
            cwd=home,
            env={**aws_environment, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm's registry is too slow")
    if done.returncode != 0:
        pytest.skip(f"npm's registry is out of reach: {done.stderr[-200:]}")
    return home / "use.mjs"


def test_a_program_of_the_sdk_works(
    system: LiveSystem, program: Path, bucket: str, aws_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [find_program("node", "apt-get install nodejs"), str(program), system.endpoint, bucket],
        env=aws_environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout == "all is well\n", done.stderr
