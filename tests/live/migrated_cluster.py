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

from objstore_project.supervisor.postgresql import answers, ensure_database, postgresql_program, prepare_cluster
from objstore_project.supervisor.program import spawn
from objstore_project.supervisor.runtime_directory import ensure_runtime_directory, runtime_directory
from objstore_project.supervisor.server_user import choose_server_user
from tests.live.manage import clean_environment, run_manage
from tests.live.processes import wait_until

# The process that began the run; those that it starts learn it from the environment.
_RUN = os.environ.setdefault("OBJSTORE_TEST_RUN", str(os.getpid()))
DIRECTORY = Path(tempfile.gettempdir()) / f"objstore-tests-cluster-{_RUN}"


def copy_migrated_cluster(directory: Path) -> None:
    """Copy the cluster, which the first of the run's processes to ask for it makes, to a directory that is not there."""
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    _forget_runs_that_were_killed()
    with (DIRECTORY / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (DIRECTORY / "is-made").exists():
            _make(DIRECTORY / "var")
            (DIRECTORY / "is-made").touch()
    directory.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(DIRECTORY / "var" / "postgresql", directory)


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
    user = choose_server_user(data_dir / "postgresql")
    ensure_runtime_directory(runtime, owner_id=user.user_id, group_id=user.group_id)
    cluster = prepare_cluster(data_dir / "postgresql", runtime, user, is_durable=False)
    log = os.open(data_dir / "postgresql.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    process_id = spawn(postgresql_program(cluster, connections_max=20, is_durable=False), log)
    os.close(log)
    try:
        wait_until(lambda: answers(runtime), "PostgreSQL answers", seconds=60)
        ensure_database(runtime)
        done = run_manage(
            clean_environment(data_dir, {"OBJSTORE_SECRET_KEY": "no secret is in the database yet"}), "migrate"
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        os.kill(process_id, signal.SIGINT)
        os.waitpid(process_id, 0)
        shutil.rmtree(runtime, ignore_errors=True)
