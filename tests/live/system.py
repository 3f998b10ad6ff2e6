"""A whole objstore for tests: `manage.py up` as a process, on free ports, in a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from objstore_project.supervisor.parent_death import die_with_parent
from objstore_project.supervisor.runtime_directory import runtime_directory
from tests.live.command_server import CommandServer
from tests.live.manage import REPOSITORY, clean_environment
from tests.live.migrated_cluster import copy_migrated_cluster
from tests.live.processes import Process, is_running, processes_of, wait_until

# One for all clients: a session reads and compiles botocore's models anew.
SESSION = boto3.session.Session()
SESSION_LOCK = threading.Lock()

# Days of five seconds: what lifecycle rules and collectors do is seen within a test.
QUICK_CLOCKS = {
    "OBJSTORE_LIFECYCLE_DAY_SECONDS": "5",
    "OBJSTORE_GC_GRACE_SECONDS": "5",
    "OBJSTORE_ORPHAN_GRACE_SECONDS": "30",
}


@dataclass(slots=True)
class LiveSystem:
    """A running system: where it is, who may use it, and what tests do with it."""

    data_dir: Path
    environment: Mapping[str, str]
    endpoint: str
    console_url: str
    log_path: Path
    process: subprocess.Popen[bytes]
    region: str = "us-east-1"
    seen: set[Process] = field(default_factory=set)
    commands: CommandServer | None = None

    @classmethod
    def start(cls, data_dir: Path, *, is_from_scratch: bool = False, **variables: str) -> LiveSystem:
        """Start a system in the directory and wait until both ports say that they are ready.

        Where nothing is there, and a database of its own is to be, it is a copy of one that is migrated and empty.
        """
        if not is_from_scratch and not data_dir.exists() and "DATABASE_URL" not in variables:
            copy_migrated_cluster(data_dir / "postgresql")
        s3_port, console_port = free_ports(2)
        environment = clean_environment(
            data_dir,
            {
                "OBJSTORE_S3_ADDRESS": f"127.0.0.1:{s3_port}",
                "OBJSTORE_CONSOLE_ADDRESS": f"127.0.0.1:{console_port}",
                "OBJSTORE_GATEWAY_WORKERS": "2",
                "OBJSTORE_GATEWAY_THREADS": "8",
                **QUICK_CLOCKS,
                **variables,
            },
        )
        log_path = data_dir.parent / f"{data_dir.name}.log"
        system = cls(
            data_dir=data_dir,
            environment=environment,
            endpoint=f"http://127.0.0.1:{s3_port}",
            console_url=f"http://127.0.0.1:{console_port}",
            log_path=log_path,
            process=launch(environment, log_path),
        )
        system.wait_until_ready()
        return system

    @property
    def credentials(self) -> dict[str, str]:
        """The generated credentials: access_key, secret_key, admin_password."""
        return dict(json.loads((self.data_dir / "credentials.json").read_text()))

    @property
    def access_key(self) -> str:
        """The root account's access key."""
        return self.environment.get("OBJSTORE_ROOT_ACCESS_KEY") or self.credentials["access_key"]

    @property
    def secret_key(self) -> str:
        """The root account's secret key."""
        return self.environment.get("OBJSTORE_ROOT_SECRET_KEY") or self.credentials["secret_key"]

    @property
    def admin_user(self) -> str:
        """The console's first user."""
        return self.environment.get("OBJSTORE_ADMIN_USER", "admin")

    @property
    def admin_password(self) -> str:
        """The password of the console's first user."""
        return self.environment.get("OBJSTORE_ADMIN_PASSWORD") or self.credentials["admin_password"]

    @property
    def log(self) -> str:
        """Everything that the system has printed."""
        return self.log_path.read_text(errors="replace")

    @property
    def process_ids(self) -> dict[str, int]:
        """The running processes by name: objstore (the supervisor), gateway, console, worker, beat, postgresql, valkey."""
        return dict(json.loads((self.data_dir / "run" / "processes.json").read_text()))

    @property
    def runtime_dir(self) -> Path:
        """The directory of the embedded servers' sockets."""
        return runtime_directory(self.data_dir.resolve())

    def client(self, service: str = "s3", **arguments: Any) -> Any:
        """Return a boto3 client of the root account; arguments replace its defaults."""
        defaults = {
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
            "config": Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        }
        with SESSION_LOCK:
            return SESSION.client(service, **{**defaults, **arguments})

    def manage(self, *arguments: str, is_checked: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command with the environment of the system; see `CommandServer` for what that means."""
        if self.commands is None:
            self.commands = CommandServer.start(self.environment)
        done = self.commands.run(arguments, seconds=180)
        if is_checked:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def is_ready(self) -> bool:
        """Tell whether both ports say that they are ready."""
        return all(status_of(f"{url}/-/ready") == 200 for url in (self.endpoint, self.console_url))

    def wait_until_ready(self, seconds: float = 150) -> float:
        """Wait until the system serves; return how long it took."""

        def claim() -> bool:
            assert self.process.poll() is None, f"`manage.py up` ended:\n{self.log}"
            return "ready: S3 on" in self.log and self.is_ready()

        try:
            return wait_until(claim, "the system is ready", seconds=seconds)
        except AssertionError as error:
            self.process.kill()
            raise AssertionError(f"{error}\n{self.log}") from error

    def processes(self) -> set[Process]:
        """Return every process that belongs to the system, or did at an earlier call and still runs."""
        now = processes_of(self.data_dir, self.runtime_dir, self.process.pid)
        self.seen = {process for process in self.seen | now if is_running(process)}
        return set(self.seen)

    def stop(self, seconds: float = 60) -> None:
        """Ask for the end, and find that no process is left."""
        if self.commands is not None:
            self.commands.stop()
            self.commands = None
        self.processes()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=seconds)
        assert code == 0, self.log
        assert self.processes() == set()
        assert not self.runtime_dir.exists()


def launch(environment: Mapping[str, str], log_path: Path) -> subprocess.Popen[bytes]:
    """Start `manage.py up` with its output in a file; it ends with this process, however that ends."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), "up"],
            env=dict(environment),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509  it takes no lock
        )


def free_ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def status_of(url: str) -> int | None:
    """Return the HTTP status of a GET, or None where nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def tracebacks(log: str, program: str = "") -> list[str]:
    """Return each traceback that a program, or any, has printed, with the line above."""
    lines = log.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(program) and "Traceback (most" in line]
    return ["\n".join(lines[max(number - 1, 0) : number + 40]) for number in starts]
