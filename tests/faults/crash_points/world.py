"""A database server, six nodes in three zones, buckets, and what they hold as far as anybody was told."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLAIN, VERSIONED = "plain", "versioned"
CHUNK_SIZE_BYTES = 1 << 20

Body = tuple[int, int] | None
"""The seed and the size of what an object holds; None: there is no object."""


def bytes_of(body: tuple[int, int]) -> bytes:
    """Return what a seed and a size stand for."""
    seed, size_bytes = body
    return random.Random(seed).randbytes(size_bytes)


@dataclass
class Ledger:
    """What each key may hold: one thing, or two while it is unknown whether a write was done."""

    current: dict[str, set[Body]] = field(default_factory=dict)
    newest: dict[str, set[Body]] = field(default_factory=dict)  # likewise, of the versioned bucket
    versions: dict[str, set[Body]] = field(default_factory=dict)  # by `key?version id`, of the versioned bucket


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a forked process ended: what it returned, or what it died of."""

    result: Any = None
    failure: str = ""
    is_killed: bool = False


def in_child(function: Callable[[], Any], *, seconds: float = 120) -> Outcome:
    """Run a function in a forked process and return what it returned, or how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            answer = pickle.dumps(Outcome(result=function()))
            code = 0
        except BaseException:  # noqa: BLE001  told to the parent
            answer = pickle.dumps(Outcome(failure=traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(code)
    os.close(writing)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGABRT))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return Outcome(is_killed=True)
    if not answer:
        return Outcome(failure=f"the process ended with status {status}")
    outcome: Outcome = pickle.loads(answer)
    return outcome


@contextmanager
def running_world() -> Iterator[Path]:
    """Run a database server with everything set up, in a directory that goes away; yield the directory of the nodes."""
    from django.conf import settings

    from objstore_project.supervisor.postgresql import ensure_database
    from tests.live.postgresql import running_postgresql

    data, runtime = settings.OBJSTORE_DATA_DIR, settings.OBJSTORE_RUNTIME_DIR
    data.mkdir(mode=0o755)
    try:
        with (
            running_postgresql(data, runtime, connections_max=50),
            tempfile.TemporaryDirectory(prefix="objstore-crash-points-") as directory,
        ):
            ensure_database(runtime)
            made = in_child(lambda: _set_up(Path(directory)))
            assert not made.failure, made.failure
            yield Path(directory) / "nodes"
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _set_up(directory: Path) -> None:
    from django.core.management import call_command

    from accesscontrol.services import ensure_root
    from buckets.models import Bucket
    from chunks.models import StorageClass
    from chunks.services import create_default_topology
    from tests.faults.crash_points.client import ACCESS_KEY, SECRET_KEY, new_client

    call_command("migrate", interactive=False, verbosity=0)
    ensure_root(access_key=ACCESS_KEY, secret_key=SECRET_KEY, admin_user="admin", admin_password="a password")
    create_default_topology(directory)
    StorageClass.objects.update(chunk_size_bytes=CHUNK_SIZE_BYTES)
    StorageClass.objects.filter(name="STANDARD_IA").update(
        chunk_size_bytes=CHUNK_SIZE_BYTES // 2, large_scheme="rs-2+2"
    )
    client = new_client()
    for name in (PLAIN, VERSIONED):
        client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    Bucket.objects.update(history_seconds=0)


def wait_for_the_dead() -> None:
    """Wait until the database has noticed that a client is gone, and taken back what it had not committed."""
    import psycopg
    from django.conf import settings

    with psycopg.connect(host=str(settings.OBJSTORE_RUNTIME_DIR), user="objstore", dbname="objstore") as connection:
        until = time.monotonic() + 30
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone() != (0,):
            assert time.monotonic() < until, "the database still serves the dead"
            connection.rollback()
            time.sleep(0.005)
