"""Running other people's programs against the live system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TIMEOUT_SECONDS = 280


@dataclass(frozen=True, slots=True)
class Tool:
    """A program with an environment that knows nothing but the live system."""

    program: str
    environment: Mapping[str, str]
    home: Path
    options: tuple[str, ...] = ()

    def run(self, *arguments: str | Path, code: int = 0, stdin: str = "") -> str:
        """Run the program; return what it printed, having checked how it ended."""
        done = subprocess.run(
            [*_command_of(self.program), *self.options, *map(str, arguments)],
            env={**self.environment, "HOME": str(self.home)},
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS * 10,
            check=False,
        )
        assert done.returncode == code, f"{done.args} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _command_of(program: str) -> list[str]:
    """Return how to start a program: a Python script by this Python, as no `#!` line can name one below a space."""
    with Path(program).open("rb") as file:
        first_line = file.readline(200)
    is_script = first_line.startswith(b"#!") and b"python" in first_line
    return [sys.executable, program] if is_script and Path(program).parent == Path(sys.executable).parent else [program]


def find_program(name: str, package: str) -> str:
    """Return the path of a program, beside this Python or in the PATH, or skip the test."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: {package}")
    return found
