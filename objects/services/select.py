"""Run a query over an object in a process of its own, which is handed the object's bytes and nothing else.

The bytes go through a pipe, so that memory is bounded; Parquet is read at random and goes through a file without a name.
The process confines itself before it sees a query (`objects.select.sandbox`), has no environment, and is killed when its time
is over or nobody reads its answer any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from chunks.errors import NotEnoughFragments
from objects.select.errors import SelectError
from objects.select.job import FAILURE, PROGRESS, RECORDS, STATS, Job
from objects.selectors.lookup import VersionRecord
from objects.services.read import iterate_version
from s3protocol import errors
from s3protocol.eventstream import encode_event, encode_failure

PARQUET_BYTES_MAX = 4 << 30
XML = "text/xml"

_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from objects.select.worker import main; main()"

Frame = tuple[bytes, bytes]

QUERIES_AT_ONCE = 4  # in each process of the gateway
WAIT_SECONDS = 30
_places = threading.BoundedSemaphore(QUERIES_AT_ONCE)


def select_object_content(version: VersionRecord, job: Job, *, first: int, data_key: bytes | None) -> Iterator[bytes]:
    """Yield the messages of the event stream that answers a query over the bytes from `first` on.

    Raises SelectError for what is wrong before the first record; what goes wrong later ends the stream.
    """
    frames = _run(version, job, first=first, data_key=data_key)
    opening = next(frames, None)
    if opening is not None and opening[0] == FAILURE:
        frames.close()
        raise SelectError(**json.loads(opening[1]))
    return _messages(opening, frames)


def _messages(opening: Frame | None, frames: Generator[Frame, None, None]) -> Iterator[bytes]:
    frame = opening
    try:
        while frame is not None:
            kind, payload = frame
            if kind == RECORDS:
                yield encode_event("Records", payload, "application/octet-stream")
            elif kind == FAILURE:
                told = json.loads(payload)
                yield encode_failure(told["code"], told["message"])
                return
            else:
                name = "Progress" if kind == PROGRESS else "Stats"
                yield encode_event(name, _figures(name, json.loads(payload)), XML)
                if kind == STATS:
                    yield encode_event("End")
                    return
            frame = next(frames, None)
        yield encode_failure("InternalError", "The query ended before its time.")
    finally:
        frames.close()


def _figures(name: str, figures: dict[str, int]) -> bytes:
    members = "".join(f"<{member}>{value}</{member}>" for member, value in figures.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{members}</{name}>'.encode()


def _run(version: VersionRecord, job: Job, *, first: int, data_key: bytes | None) -> Generator[Frame, None, None]:
    """Yield the frames of the process that runs a job; closing kills it. Raises SlowDown when too many run."""
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise errors.SlowDown
    try:
        yield from _run_alone(version, job, first=first, data_key=data_key)
    finally:
        _places.release()


def _run_alone(version: VersionRecord, job: Job, *, first: int, data_key: bytes | None) -> Generator[Frame, None, None]:
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as spool:
        told.write(job.encode())
        told.seek(0)
        is_spooled = job.input_format == "Parquet"
        if is_spooled:
            for piece in iterate_version(version, 0, version.size_bytes, data_key=data_key):
                spool.write(piece)
            spool.seek(0)
        process = subprocess.Popen(  # noqa: S603  ourselves
            [sys.executable, "-I", "-c", _START, str(told.fileno())],
            stdin=spool if is_spooled else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(told.fileno(),),
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
        )
    clock = threading.Timer(settings.OBJSTORE_SELECT_SECONDS, process.kill)
    clock.daemon = True
    clock.start()
    feeder = _Feeder(process, version, first, data_key)
    if process.stdin is not None:
        feeder.start()
    assert process.stdout is not None
    try:
        while (frame := _read_frame(process.stdout)) is not None:
            yield frame
        message = feeder.failure or "The query took too long, or more than it may have."
        yield FAILURE, json.dumps({"code": "InternalError", "message": message}).encode()
    finally:
        clock.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        if process.stdin is not None:
            feeder.join()


class _Feeder(threading.Thread):
    """Hands the object to the process."""

    def __init__(
        self, process: subprocess.Popen[bytes], version: VersionRecord, first: int, data_key: bytes | None
    ) -> None:
        super().__init__(name="select", daemon=True)
        self._process = process
        self._version = version
        self._first = first
        self._data_key = data_key
        self.failure = ""

    def run(self) -> None:
        """Write all of it, or until nobody reads any more."""
        stdin, first = self._process.stdin, self._first
        assert stdin is not None
        try:
            with suppress(BrokenPipeError), stdin:
                for piece in iterate_version(
                    self._version, first, self._version.size_bytes - first, data_key=self._data_key
                ):
                    stdin.write(piece)
        except NotEnoughFragments:
            self.failure = "Too few fragments of the object can be read at the moment."
            self._process.kill()
        finally:
            connection.close()  # reading later extents has opened this thread's own


def _read_frame(stream: IO[bytes]) -> Frame | None:
    head = stream.read(5)
    if len(head) < 5:
        return None
    size = int.from_bytes(head[1:], "big")
    payload = stream.read(size)
    return (head[:1], payload) if len(payload) == size else None
