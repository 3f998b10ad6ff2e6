"""A PostgreSQL cluster with every migration applied: made once for a test run, copied for every system that it starts.

Making the cluster and migrating it costs a start more than all the rest of it. Systems of which a test asks that they
begin with nothing at all do (`LiveSystem.start(..., is_from_scratch=True)`), and so do those of the benchmarks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path

from objstore_project.supervisor.postgresql import ensure_database
from objstore_project.supervisor.runtime_directory import runtime_directory
from tests.live.manage import clean_environment, run_manage
from tests.live.postgresql import running_postgresql

# The process that began the run; those that it starts learn it from the environment.
_RUN = os.environ.setdefault("OBJSTORE_TEST_RUN", str(os.getpid()))
DIRECTORY = Path(tempfile.gettempdir()) / f"objstore-tests-cluster-{_RUN}"


def copy_migrated_cluster(directory: Path) -> None:
    """Copy the cluster, made before if it is not there, to a directory that is not there."""
    make_migrated_cluster()
    directory.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DIRECTORY / "var" / "postgresql", directory)


def make_migrated_cluster() -> None:
    """Make the cluster, unless another of the run's processes has; while one does, the others wait."""
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    _forget_runs_that_were_killed()
    with (DIRECTORY / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (DIRECTORY / "is-made").exists():
            _make(DIRECTORY / "var")
            (DIRECTORY / "is-made").touch()


def forget_migrated_cluster() -> None:
    """Remove the cluster, where it was this process that began the run."""
    if str(os.getpid()) == _RUN:
        shutil.rmtree(DIRECTORY, ignore_errors=True)


def _forget_runs_that_were_killed() -> None:
    for directory in DIRECTORY.parent.glob(DIRECTORY.name.replace(_RUN, "*")):
        if not Path("/proc", directory.name.rpartition("-")[2]).exists():
            shutil.rmtree(directory, ignore_errors=True)


def _make(data_dir: Path) -> None:
    runtime = runtime_directory(data_dir.resolve())
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir(mode=0o755)
    # Ended in order, so that what is copied needs no recovery.
    with running_postgresql(data_dir, runtime, connections_max=20, stop_signal=signal.SIGINT):
        ensure_database(runtime)
        done = run_manage(
            clean_environment(data_dir, {"OBJSTORE_SECRET_KEY": "no secret is in the database yet"}), "migrate"
        )
        assert done.returncode == 0, done.stdout + done.stderr
