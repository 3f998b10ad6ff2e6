"""An OpenSSH server for SFTP alone: unprivileged, on a free port, with a host key and a user's key of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import textwrap
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live.processes import wait_until
from tests.live.system import free_ports


def sshd_path() -> str | None:
    """Return Debian's server, if it and the maker of keys are installed."""
    found = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    return found if shutil.which("ssh-keygen") else None


@dataclass(slots=True)
class Sshd:
    """A server whose keys and configuration are in a directory."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.directory / "log"

    @classmethod
    def start(cls, directory: Path) -> Sshd:
        """Make keys, start a server, wait until it listens."""
        directory.mkdir(parents=True, mode=0o700)
        [port] = free_ports(1)
        for name in ("host_key", "user_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)],
                check=True,
                stdin=subprocess.DEVNULL,
            )
        shutil.copy(directory / "user_key.pub", directory / "authorized_keys")
        kind, key, *_ = (directory / "host_key.pub").read_text().split()
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
        (directory / "config").write_text(
            textwrap.dedent(f"""
                ListenAddress 127.0.0.1
                Port {port}
                HostKey {directory}/host_key
                PidFile {directory}/pid
                AuthorizedKeysFile {directory}/authorized_keys
                AuthenticationMethods publickey
                PermitRootLogin prohibit-password
                StrictModes no
                UsePAM no
                Subsystem sftp internal-sftp
                ForceCommand internal-sftp
                MaxStartups 50
            """)
        )
        server = cls(directory, port)
        server.run()
        return server

    def options(self, root: Path, **params: Any) -> dict[str, Any]:
        """Return what django-storages' SFTP backend needs to know."""
        return {
            "host": "127.0.0.1",
            "root_path": str(root),
            "known_host_file": str(self.directory / "known_hosts"),
            "params": {
                "port": self.port,
                "username": getpass.getuser(),
                "key_filename": str(self.directory / "user_key"),
                "allow_agent": False,
                "look_for_keys": False,
                **params,
            },
        }

    def run(self) -> None:
        """Start the process, for the first time or again."""
        program = sshd_path()
        assert program is not None
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd separates privileges
        self.process = subprocess.Popen(
            [program, "-D", "-f", str(self.directory / "config"), "-E", str(self.log)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_until(self._listens, "sshd listens", seconds=30)

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text() if self.log.exists() else "sshd ended"
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """End it at once, with its sessions."""
        if self.process is None:
            return
        for child in _descendants(self.process.pid):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.process = None


def _descendants(process_id: int) -> list[int]:
    """Return all processes below one, the deepest first; sessions of sshd lead process groups of their own."""
    found: list[int] = []
    for children in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [*_descendants(int(child)), int(child)]
    return found
