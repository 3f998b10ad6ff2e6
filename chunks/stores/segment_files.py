"""Open files of segments on a local disk: one that is appended to, and those that are read again and again.

Not for: what a segment is, and when it may be appended to (`chunks.packing`).
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from chunks.erasure import Buffer
from chunks.errors import ChunkError, NodeUnavailable

OPEN_FILES_MAX = 128
REOPEN_SECONDS = 10.0  # a copy may be replaced by a repair in another process
WRITEV_BUFFERS_MAX = 512  # below every system's IOV_MAX

Translate = Callable[[OSError], ChunkError]


class AppendedFile:
    """A copy of a segment that this process appends to. Not for several threads at once."""

    def __init__(self, handle: int, translate: Translate) -> None:
        self._handle = handle
        self._translate = translate
        self._sync = os.fsync  # the first one commits the name, too

    def append(self, buffers: Sequence[Buffer]) -> None:
        """Write at the end. One system call for 512 buffers."""
        try:
            write_all(self._handle, buffers)
        except OSError as error:
            raise self._translate(error) from error

    def sync(self) -> None:
        """Put on the disk what was appended. A file that somebody deleted takes nothing durably any more."""
        try:
            self._sync(self._handle)
            if not os.fstat(self._handle).st_nlink:
                raise NodeUnavailable("the segment was deleted under its writer")
        except OSError as error:
            raise self._translate(error) from error
        self._sync = os.fdatasync

    def close(self) -> None:
        """Let go of the file, whose bytes stay."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        if getattr(self, "_handle", -1) >= 0:
            self.close()


class OpenFile:
    """A handle that is closed when its last reader has let go of it."""

    __slots__ = ("handle", "opened_at")

    def __init__(self, handle: int, opened_at: float = 0.0) -> None:
        self.handle = handle
        self.opened_at = opened_at

    def __del__(self) -> None:
        os.close(self.handle)


class OpenFiles:
    """The files read last, kept open: a read is one system call then."""

    def __init__(self, open_file: Callable[[str], int], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._open_file = open_file
        self._clock = clock
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> OpenFile:
        """Return the open file. Raises what opening raises."""
        now = self._clock()
        file = self._files.get(name)
        if file is None or now - file.opened_at > REOPEN_SECONDS:
            file = OpenFile(self._open_file(name), now)
            with self._lock:
                self._files[name] = file
                self._files.move_to_end(name)
                while len(self._files) > OPEN_FILES_MAX or self._is_stale(now):
                    self._files.popitem(last=False)
        return file

    def _is_stale(self, now: float) -> bool:
        """Say whether the file opened first has been open for long: a deleted one would hold its room."""
        return now - next(iter(self._files.values())).opened_at > REOPEN_SECONDS

    def forget(self, name: str) -> None:
        """Open the file afresh when it is next read."""
        with self._lock:
            self._files.pop(name, None)

    def forget_all(self) -> None:
        """Let go of all files."""
        with self._lock:
            self._files.clear()


def write_all(handle: int, buffers: Sequence[Buffer]) -> int:
    """Write everything, however often it takes; return how many bytes that were."""
    size_bytes = 0
    pending = [view for view in (memoryview(buffer).cast("B") for buffer in buffers) if len(view)]
    while pending:
        written = os.writev(handle, pending[:WRITEV_BUFFERS_MAX])
        size_bytes += written
        done = 0
        while done < len(pending) and written >= len(pending[done]):
            written -= len(pending[done])
            done += 1
        del pending[:done]
        if written:
            pending[0] = pending[0][written:]
    return size_bytes
