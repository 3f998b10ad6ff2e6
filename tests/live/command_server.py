"""A process in which management commands run as forks, so that tests don't load Django a second time for each.

What a command prints, and how it ends, is what `manage.py` would print in a process of its own: the fork runs the
same `main`. What it read at its start (the settings, the secret key) the server read once: where a test changes
these, it runs `run_manage`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from tests.live.manage import REPOSITORY


@dataclass(slots=True)
class CommandServer:
    """The test's end of a server."""

    process: subprocess.Popen[bytes]
    connection: socket.socket

    @classmethod
    def start(cls, environment: Mapping[str, str]) -> CommandServer:
        """Start a server with the environment of a system."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.live.command_server", str(theirs.fileno())],
                env=dict(environment),
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return cls(process, ours)

    def run(self, arguments: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; several threads may at once."""
        ours, theirs = socket.socketpair()
        with ours, theirs, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            descriptors = [stdout.fileno(), stderr.fileno(), theirs.fileno()]
            socket.send_fds(self.connection, [json.dumps(arguments).encode()], descriptors)
            theirs.close()
            ours.settimeout(seconds)
            code = int(ours.recv(16) or b"-9")
            output, errors = (os.pread(file.fileno(), 1 << 30, 0).decode() for file in (stdout, stderr))
        return subprocess.CompletedProcess(arguments, code, output, errors)

    def stop(self) -> None:
        """End the server; commands that run go on."""
        self.connection.close()
        self.process.wait()


def serve(descriptor: int) -> None:
    """Fork a process for each command that comes over the socket, until its other end is closed."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "objstore_project.settings.console")
    django.setup()
    connection = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 3)
        if not message:
            return
        if os.fork() == 0:
            connection.close()
            # Twice, so that nobody need wait for the command.
            if os.fork() == 0:
                run_command(json.loads(message), *descriptors)
            os._exit(0)
        for number in descriptors:
            os.close(number)
        os.wait()


def run_command(arguments: list[str], stdout: int, stderr: int, answer: int) -> None:
    """Run a command with its output in files, and tell how it ended."""
    from manage import main

    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    code = 1
    try:
        main(["manage.py", *arguments])
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  as the interpreter does it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(answer, str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
