"""The load: many keep-alive connections from one process, or one connection with a long body.

It shares the machine with what it measures, so it is lean: requests are bytes made before the clock starts, an answer is
taken apart as far as its status and length, and all connections are watched by one epoll. References and subjects are
loaded by the same code.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

RECEIVE_BYTES = 1 << 20
STREAM_PIECE_BYTES = 1 << 20
TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Rate:
    """What a round of requests came to; the latencies are those of its single requests."""

    per_second: float
    median_milliseconds: float
    slowest_percent_milliseconds: float


class UnexpectedAnswerError(Exception):
    """An answer that is no success: a benchmark of errors would be a good one."""


def drive(host: str, requests: Sequence[bytes], *, connection_count: int, seconds: float) -> Rate:
    """Send the requests over and over for so long, in a process of its own, one at a time on each connection."""
    return _in_own_process(_drive, host, requests, connection_count, seconds)


def send_all(host: str, requests: Sequence[bytes], *, connection_count: int = 8) -> None:
    """Send every request once, to prepare a measurement."""
    shares = [requests[index::connection_count] for index in range(connection_count)]
    connections = [_connect(host) for _ in shares]
    for turn in range(len(shares[0])):
        pending = [
            (connection, share[turn])
            for connection, share in zip(connections, shares, strict=True)
            if turn < len(share)
        ]
        for connection, request in pending:
            connection.sendall(request)
        for connection, request in pending:
            _receive(connection, is_head=request.startswith(b"HEAD"))
    for connection in connections:
        connection.close()


def exchange(host: str, request: bytes) -> tuple[float, bytes]:
    """Send one request on a connection of its own; return the seconds until the whole answer was there, and its body."""
    with _connect(host) as connection:
        started_at = time.perf_counter()
        connection.sendall(request)
        body = _receive(connection, is_head=request.startswith(b"HEAD"))
        return time.perf_counter() - started_at, body


def upload(host: str, head: bytes, pieces: Sequence[bytes]) -> float:
    """Send one request with a long body; return the seconds until it was answered."""
    return _in_own_process(_upload, host, head, pieces)


def download(host: str, request: bytes, size_bytes: int) -> float:
    """Fetch a long answer; return the seconds that it took."""
    return _in_own_process(_download, host, request, size_bytes)


def _in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run() -> None:
        try:
            sender.send(function(*arguments))
        except Exception as error:  # noqa: BLE001  raised again in the parent
            sender.send(error)

    process = context.Process(target=run)
    process.start()
    sender.close()
    try:
        result = receiver.recv()
    finally:
        process.join()
    if isinstance(result, Exception):
        raise result
    return result


def _connect(host: str) -> socket.socket:
    name, _, port = host.rpartition(":")
    connection = socket.create_connection((name, int(port)), timeout=TIMEOUT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _drive(host: str, requests: Sequence[bytes], connection_count: int, seconds: float) -> Rate:
    endless = _cycle(requests)
    with selectors.EpollSelector() as selector:
        for _ in range(connection_count):
            conversation = _Conversation(_connect(host), endless)
            selector.register(conversation.connection, selectors.EVENT_READ, conversation)
            conversation.send()
        latencies: list[float] = []
        started_at = time.perf_counter()
        deadline = started_at + seconds
        while time.perf_counter() < deadline:
            for key, _ in selector.select(TIMEOUT_SECONDS):
                if key.data.receive():
                    latencies.append(time.perf_counter() - key.data.sent_at)
                    key.data.send()
        elapsed = time.perf_counter() - started_at
    latencies.sort()
    return Rate(
        per_second=len(latencies) / elapsed,
        median_milliseconds=statistics.median(latencies) * 1000,
        slowest_percent_milliseconds=latencies[int(len(latencies) * 0.99)] * 1000,
    )


def _cycle(requests: Sequence[bytes]) -> Iterator[bytes]:
    while True:
        yield from requests


class _Conversation:
    """One connection, its request under way and what has come of the answer."""

    __slots__ = ("_answer", "_expected", "_is_head", "_requests", "connection", "sent_at")

    def __init__(self, connection: socket.socket, requests: Iterator[bytes]) -> None:
        self.connection = connection
        self._requests = requests
        self._answer = b""
        self._expected = -1
        self._is_head = False
        self.sent_at = 0.0

    def send(self) -> None:
        """Send the next request."""
        request = next(self._requests)
        self._is_head = request.startswith(b"HEAD")
        self._answer, self._expected = b"", -1
        self.sent_at = time.perf_counter()
        self.connection.sendall(request)

    def receive(self) -> bool:
        """Take what has arrived; say whether the answer is whole."""
        data = self.connection.recv(RECEIVE_BYTES)
        if not data:
            raise UnexpectedAnswerError("the connection was closed")
        self._answer = self._answer + data if self._answer else data
        if self._expected < 0:
            self._expected = _answer_length(self._answer, is_head=self._is_head)
        return 0 <= self._expected <= len(self._answer)


def _answer_length(answer: bytes, *, is_head: bool) -> int:
    """Return how long the whole answer is, -1 while its head is not there. UnexpectedAnswerError for no success."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return -1
    if not answer.startswith(b"HTTP/1.1 2"):
        raise UnexpectedAnswerError(answer[:2000].decode("latin-1"))
    if is_head or answer.startswith(b"HTTP/1.1 204"):
        return end + 4
    head = answer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise UnexpectedAnswerError(f"an answer without its length: {head.decode('latin-1')}")
    return end + 4 + int(head[at + 17 :].split(b"\r\n", 1)[0])


def _receive(connection: socket.socket, *, is_head: bool) -> bytes:
    """Receive one answer and return its body."""
    answer, expected = b"", -1
    while not 0 <= expected <= len(answer):
        data = connection.recv(RECEIVE_BYTES)
        if not data:
            raise UnexpectedAnswerError("the connection was closed")
        answer += data
        expected = _answer_length(answer, is_head=is_head)
    return answer[answer.find(b"\r\n\r\n") + 4 :]


def _upload(host: str, head: bytes, pieces: Sequence[bytes]) -> float:
    with _connect(host) as connection:
        started_at = time.perf_counter()
        connection.sendall(head)
        for piece in pieces:
            connection.sendall(piece)
        _receive(connection, is_head=False)
        return time.perf_counter() - started_at


def _download(host: str, request: bytes, size_bytes: int) -> float:
    buffer = bytearray(RECEIVE_BYTES)
    with _connect(host) as connection:
        started_at = time.perf_counter()
        connection.sendall(request)
        count = connection.recv_into(buffer)
        head = bytes(buffer[:count])
        left = _answer_length(head, is_head=False) - count
        if left + count - head.find(b"\r\n\r\n") - 4 != size_bytes:
            raise UnexpectedAnswerError(f"not {size_bytes} bytes: {head[:500].decode('latin-1')}")
        while left > 0:
            count = connection.recv_into(buffer)
            if not count:
                raise UnexpectedAnswerError(f"the connection was closed {left} bytes before the end")
            left -= count
        return time.perf_counter() - started_at
