"""Bodies that stop coming: their reads end, and nobody else's do."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import pytest

from objstore_project.stalled_bodies import BodyStalledError, BodyWatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked how idle a connection is")

IDLE_SECONDS = 1.0


@dataclass(slots=True)
class Connection:
    """Both ends of a connection; the server's is read as a body, whole."""

    client: socket.socket
    server: socket.socket

    def read(self, size_bytes: int) -> bytes:
        """Read up to so many bytes, as the web server does: fewer at the end alone."""
        received = b""
        while len(received) < size_bytes and (piece := self.server.recv(size_bytes - len(received))):
            received += piece
        return received


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def watch(listener: socket.socket) -> BodyWatch:
    return BodyWatch(port=listener.getsockname()[1], idle_seconds=IDLE_SECONDS, period_seconds=0.1)


def connect(listener: socket.socket) -> Connection:
    client = socket.create_connection(listener.getsockname())
    return Connection(client, listener.accept()[0])


def test_a_read_of_what_does_not_come_ends(listener: socket.socket, watch: BodyWatch) -> None:
    connection = connect(listener)
    with connection.client, connection.server:
        with pytest.raises(BodyStalledError):
            watch.read(connection.read, "127.0.0.1", 100)
        connection.server.sendall(b"answer")
        assert connection.client.recv(100) == b"answer"


def test_what_comes_slowly_is_read(listener: socket.socket, watch: BodyWatch) -> None:
    connection = connect(listener)

    def send() -> None:
        for _ in range(20):
            time.sleep(0.1)
            connection.client.sendall(b"x")

    with connection.client, connection.server:
        sender = threading.Thread(target=send)
        sender.start()
        assert watch.read(connection.read, "127.0.0.1", 20) == b"x" * 20
        sender.join()


def test_others_are_left_alone(listener: socket.socket, watch: BodyWatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        connection, other = connect(listener), connect(elsewhere)
        with connection.client, connection.server, other.client, other.server:
            with pytest.raises(BodyStalledError):
                watch.read(connection.read, "127.0.0.1", 100)
            other.client.sendall(b"x")
            assert other.read(1) == b"x"
    assert watch.cut_overdue(time.monotonic() + 3_600) == 0


def test_an_answer_that_nobody_takes_ends(listener: socket.socket, watch: BodyWatch) -> None:
    connection = connect(listener)

    def send() -> None:
        for piece in watch.answer(repeat(b"x" * (1 << 20)), "127.0.0.1"):
            connection.server.sendall(piece)

    with connection.client, connection.server, pytest.raises(OSError, match=r"Broken pipe|reset"):
        send()
