"""Run one query in a process of its own, which is handed bytes and nothing else. Knows no objects and no Django.

The bytes go through a pipe, so that memory is bounded; Parquet is read at random and goes through a file without a name.
The process confines itself before it sees a query (`sandbox`), has no environment, and is killed when its time is over or
nobody reads its answer any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import IO

from objects.select.job import FAILURE, Job

_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from objects.select.worker import main; main()"

Frame = tuple[bytes, bytes]
Pieces = Generator[bytes, None, None]


class SourceFailed(Exception):
    """The data cannot be read on; the message is told to whoever asked."""


def run_job(
    job: Job, pieces: Pieces, *, seconds: float, after_feeding: Callable[[], None] = lambda: None
) -> Generator[Frame, None, None]:
    """Yield the frames of the process that runs a job over pieces; closing kills it.

    Pieces are read by another thread, which calls `after_feeding` at its end, or here, if all are needed first. Raises
    SourceFailed in the latter case.
    """
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as spool:
        told.write(job.encode())
        told.seek(0)
        is_spooled = job.input_format == "Parquet"
        if is_spooled:
            for piece in pieces:
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
    clock = threading.Timer(seconds, process.kill)
    clock.daemon = True
    feeder = _Feeder(process, pieces, after_feeding)
    assert process.stdout is not None
    try:
        clock.start()
        if process.stdin is not None:
            feeder.start()
        while (frame := _read_frame(process.stdout)) is not None:
            yield frame
        message = feeder.failure or "The query took too long, or more than it may have."
        yield FAILURE, json.dumps({"code": "InternalError", "message": message}).encode()
    finally:
        clock.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        if feeder.ident is not None:
            feeder.join()


class _Feeder(threading.Thread):
    """Hands the data to the process."""

    def __init__(self, process: subprocess.Popen[bytes], pieces: Pieces, after_feeding: Callable[[], None]) -> None:
        super().__init__(name="select", daemon=True)
        self._process = process
        self._pieces = pieces
        self._after_feeding = after_feeding
        self.failure = ""

    def run(self) -> None:
        """Write all of it, or until nobody reads any more."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            for piece in self._pieces:
                stdin.write(piece)
            stdin.close()
        except BrokenPipeError:
            pass  # LIMIT was reached, or the process is gone
        except SourceFailed as failure:
            self.failure = str(failure)
            self._process.kill()
        finally:
            self._pieces.close()
            _close_quietly(stdin)
            self._after_feeding()


def _close_quietly(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # what was buffered is wanted no more
        stream.close()


def _read_frame(stream: IO[bytes]) -> Frame | None:
    head = stream.read(5)
    if len(head) < 5:
        return None
    size = int.from_bytes(head[1:], "big")
    payload = stream.read(size)
    return (head[:1], payload) if len(payload) == size else None
