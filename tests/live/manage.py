"""`manage.py` as tests run it: in a process of its own, with an environment that nothing of the machine's configures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def clean_environment(data_dir: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without anything that configures an objstore, and the given variables."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OBJSTORE_", "AWS_"))
        and name not in {"DATABASE_URL", "REDIS_URL"}
        and name != "DJANGO_SETTINGS_MODULE"
    }
    return {**kept, "OBJSTORE_DATA_DIR": str(data_dir), **variables}


def run_manage(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a management command to its end, in a process of its own."""
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), *arguments],
        env=dict(environment),
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
