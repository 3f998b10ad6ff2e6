"""s3fs and DuckDB: programs that use them, run by the Python of an environment of their own, else skipped."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.live.manage import REPOSITORY
from tests.live.system import LiveSystem

PYTHON = REPOSITORY / ".venv/clients/bin/python"
PROGRAMS = Path(__file__).parent / "python"


@pytest.mark.parametrize("name", ["use_s3fs.py", "use_duckdb.py"])
def test_a_program_of_the_library_works(
    system: LiveSystem, bucket: str, home: Path, aws_environment: dict[str, str], name: str
) -> None:
    if not PYTHON.exists():
        pytest.skip("needs .venv/clients: bin/install-test-tools")
    done = subprocess.run(
        [str(PYTHON), str(PROGRAMS / name), system.endpoint, bucket],
        env={**aws_environment, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout == "all is well\n", done.stderr
