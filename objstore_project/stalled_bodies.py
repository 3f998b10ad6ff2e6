"""Bodies that stop coming, and answers that nobody takes: they are cut off, so that no thread waits for ever.

A thread of the web server blocks while it reads a body, and while a client takes none of a long answer, and the server has no limit
for either. A client that has lost its network, has paused a film, or means it so, would keep the thread until it is gone, and as
many of them as there are threads the whole gateway. So each read is noted, and a watch over them shuts the receiving half of connections on which nothing came or went for too
long: the read ends, the thread answers 400 (RequestTimeout, as S3 does; IncompleteBody after a part of what it was reading) and
is free. So is each piece of an answer until the next one is asked for; there the whole connection is shut, and a player that goes on
asks for the rest.

The server does not say which connection a request came by. So for each overdue read one is cut that comes from the same address,
ends at our own port, is idle as the kernel says, and has been silent for about as long as the read waits. Where there is no
/proc (not Linux) nothing is cut.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

Application = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]

_DESCRIPTORS = Path("/proc/self/fd")
_TCP_INFO = getattr(socket, "TCP_INFO", 11)
_TCP_INFO_BYTES = 104
# Of struct tcp_info (linux/tcp.h): eight bytes, then words; milliseconds since data were last sent and received.
_LAST_SENT, _LAST_RECEIVED = 8 + 4 * 9, 8 + 4 * 11


class BodyStalledError(TimeoutError):
    """Nothing came of a body for too long; its connection was cut."""


@dataclass(slots=True)
class _Wait:
    """A client that is waited for: to send, or to take what is sent."""

    peer: str
    began_at: float
    is_sending: bool = False
    is_overdue: bool = False


class BodyWatch:
    """The reads of one process, and who looks after them. `port` is the one that connections come in by."""

    def __init__(self, *, port: int, idle_seconds: float, period_seconds: float = 5.0) -> None:
        self._port = port
        self._idle_seconds = idle_seconds
        self._period_seconds = period_seconds
        self._waits: dict[int, _Wait] = {}
        self._lock = threading.Lock()
        self._watching_pid = 0

    def read(self, read_source: Callable[[int], bytes], peer: str, size_bytes: int) -> bytes:
        """Read from a body. Raises BodyStalledError where it was cut off, and as the source."""
        self._ensure_watch()
        wait = _Wait(peer, time.monotonic())
        self._waits[id(wait)] = wait
        try:
            piece = read_source(size_bytes)
        except OSError:
            if wait.is_overdue:
                raise BodyStalledError from None
            raise
        finally:
            del self._waits[id(wait)]
        if wait.is_overdue and not piece:
            raise BodyStalledError
        return piece

    def answer(self, pieces: Iterable[bytes], peer: str) -> Generator[bytes]:
        """Yield an answer's pieces; between two of them, the client is waited for."""
        self._ensure_watch()
        for piece in pieces:
            wait = _Wait(peer, time.monotonic(), is_sending=True)
            self._waits[id(wait)] = wait
            try:
                yield piece
            finally:
                del self._waits[id(wait)]

    def cut_overdue(self, now: float) -> int:
        """Shut one idle connection for each wait that is overdue; return how many."""
        overdue = [wait for wait in list(self._waits.values()) if now - wait.began_at > self._idle_seconds]
        if not overdue:
            return 0
        idle = list(_idle_connections(port=self._port, idle_seconds=self._idle_seconds))
        count = 0
        for wait in overdue:
            wait.is_overdue = True
            likely = [one for one in idle if one.peer == wait.peer]
            if likely:
                chosen = min(likely, key=lambda one: abs(one.silent_seconds(wait) - (now - wait.began_at)))
                idle.remove(chosen)
                count += _shut(chosen, socket.SHUT_RDWR if wait.is_sending else socket.SHUT_RD)
        return count

    def _ensure_watch(self) -> None:
        """Start the thread of this process: threads do not outlive a fork."""
        if self._watching_pid == os.getpid():
            return
        with self._lock:
            if self._watching_pid != os.getpid():
                self._watching_pid = os.getpid()
                threading.Thread(target=self._watch, name="stalled bodies", daemon=True).start()

    def _watch(self) -> None:
        while True:
            time.sleep(self._period_seconds)
            self.cut_overdue(time.monotonic())


class _WatchedBody:
    """A body whose reads are noted."""

    def __init__(self, source: Any, peer: str, watch: BodyWatch) -> None:
        self._source, self._peer, self._watch = source, peer, watch

    def read(self, size_bytes: int = -1) -> bytes:
        """Read up to so many bytes, all without a number. Raises BodyStalledError."""
        return self._watch.read(self._source.read, self._peer, size_bytes)

    def readline(self, size_bytes: int = -1) -> bytes:
        """Read a line, which Django may ask for. Raises likewise."""
        return self._watch.read(self._source.readline, self._peer, size_bytes)


def watch_bodies(application: Application, watch: BodyWatch) -> Application:
    """Wrap a WSGI application so that bodies which stop coming, and answers that nobody takes, are cut off."""

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = environ.get("REMOTE_ADDR", "")  # before a proxy's word for it counts
        if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = _WatchedBody(environ["wsgi.input"], peer, watch)
        answer = application(environ, start_response)
        return answer if isinstance(answer, list) else _WatchedAnswer(answer, peer, watch)

    return watched


class _WatchedAnswer:
    """A long answer whose pieces are noted; closing it closes what it is made of."""

    def __init__(self, answer: Iterable[bytes], peer: str, watch: BodyWatch) -> None:
        self._answer, self._pieces = answer, watch.answer(answer, peer)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close both; the server calls this at the end, or when the client is gone."""
        self._pieces.close()
        close = getattr(self._answer, "close", None)
        if close is not None:
            close()


@dataclass(frozen=True, slots=True)
class _Idle:
    """A connection on which nothing came or went for long enough."""

    descriptor: int
    peer: str
    unsent_seconds: float
    unreceived_seconds: float

    def silent_seconds(self, wait: _Wait) -> float:
        """Return for how long nothing went the way that is waited for."""
        return self.unsent_seconds if wait.is_sending else self.unreceived_seconds


def _idle_connections(*, port: int, idle_seconds: float) -> Iterator[_Idle]:
    """Yield the connections of this process that came in by a port and are idle."""
    try:
        descriptors = list(_DESCRIPTORS.iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        with suppress(OSError):  # it may be closed by now
            if str(descriptor.readlink()).startswith("socket:"):
                found = _examined(int(descriptor.name), port)
                if found is not None and min(found.unsent_seconds, found.unreceived_seconds) >= idle_seconds:
                    yield found


def _examined(descriptor: int, port: int) -> _Idle | None:
    """Return a connection and since when nothing went; None for what came by no such port. Raises OSError."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.getsockname()[1] != port:
            return None
        peer = connection.getpeername()[0].removeprefix("::ffff:")
        told = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _TCP_INFO_BYTES)
        sent, received = (struct.unpack_from("I", told, at)[0] / 1_000 for at in (_LAST_SENT, _LAST_RECEIVED))
        return _Idle(descriptor, peer, sent, received)


def _shut(idle: _Idle, half: int) -> bool:
    """Shut a connection, or its receiving half: then what the client is owed can still be sent."""
    with suppress(OSError), socket.socket(fileno=os.dup(idle.descriptor)) as connection:
        connection.shutdown(half)
        return True
    return False
