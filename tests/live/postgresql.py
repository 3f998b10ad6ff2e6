"""The embedded PostgreSQL without the rest of a system: quick rather than durable, for tests that end with it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from objstore_project.supervisor.postgresql import answers, postgresql_program, prepare_cluster
from objstore_project.supervisor.program import spawn
from objstore_project.supervisor.runtime_directory import ensure_runtime_directory
from objstore_project.supervisor.server_user import choose_server_user
from tests.live.processes import wait_until


@contextmanager
def running_postgresql(
    data_dir: Path, runtime: Path, *, connections_max: int, stop_signal: signal.Signals = signal.SIGQUIT
) -> Iterator[None]:
    """Serve the cluster of a data directory, made where there is none, while a block runs."""
    user = choose_server_user(data_dir / "postgresql")
    ensure_runtime_directory(runtime, owner_id=user.user_id, group_id=user.group_id)
    cluster = prepare_cluster(data_dir / "postgresql", runtime, user, is_durable=False)
    log = os.open(data_dir / "postgresql.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    process_id = spawn(postgresql_program(cluster, connections_max=connections_max, is_durable=False), log)
    os.close(log)
    try:
        wait_until(lambda: answers(runtime), "PostgreSQL answers", seconds=60)
        yield
    finally:
        os.kill(process_id, stop_signal)
        os.waitpid(process_id, 0)
        shutil.rmtree(runtime, ignore_errors=True)
