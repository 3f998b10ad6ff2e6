"""Fragments through nothing but Django's storage API, for storages that publish what is saved whole, as Azure does.

What the API does not say is asked for otherwise or done without: a range is a seek, a listing asks for each size and
time, and saving under a name that is taken deletes before, where the storage does not overwrite. A storage that writes
in place (a file system, FTP) could show half a fragment, and is refused.
"""

import errno
import posixpath
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import UTC
from typing import TypeVar

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage

from chunks.erasure import Buffer
from chunks.errors import ChunkError, FragmentMissing, NodeUnavailable, NoSpace
from chunks.stores.protocol import StoredFragment

_CALLS_MAX = 16
_WRITES_IN_PLACE = frozenset({"FTPStorage", "SFTPStorage"})

T = TypeVar("T")


class PlainDriver:
    """Any storage. Each call runs in a thread of its own, so that one that hangs is given up after a while."""

    def __init__(self, storage: Storage, *, answer_seconds: float) -> None:
        if isinstance(storage, FileSystemStorage) or type(storage).__name__ in _WRITES_IN_PLACE:
            raise NodeUnavailable(f"{type(storage).__name__} writes in place; use a local disk")
        self._storage = storage
        self._answer_seconds = answer_seconds
        self._room = threading.BoundedSemaphore(_CALLS_MAX)

    def put(self, path: str, buffers: Sequence[Buffer]) -> None:
        """Save, over what there was."""
        self._call(path, lambda: self._save(path, b"".join(buffers), is_replacing=True))

    def put_new(self, path: str, data: bytes) -> None:
        """Save what is not there. Two who look at the same moment may both save: who marks a store reads it back."""
        self._call(path, lambda: self._save(path, data, is_replacing=False))

    def _save(self, path: str, data: bytes, *, is_replacing: bool) -> None:
        if not is_replacing and self._storage.exists(path):
            return
        saved = self._storage.save(path, ContentFile(data))
        if saved != path:  # a storage that does not overwrite chose another name
            self._storage.delete(saved)
            if not is_replacing:
                return
            self._storage.delete(path)
            saved = self._storage.save(path, ContentFile(data))
        if saved != path or self._storage.size(path) != len(data):
            raise OSError("the storage did not keep what was saved")

    def prepare(self) -> None:
        """Do nothing: a storage makes directories as it needs them."""

    def get(self, path: str, offset: int, length: int) -> bytes:
        """Open, seek, read."""

        def read() -> bytes:
            with self._storage.open(path, "rb") as file:
                file.seek(offset)
                return bytes(file.read(length))

        return self._call(path, read)

    def stat(self, path: str) -> StoredFragment | None:
        """Ask for size and time."""
        try:
            return self._call(path, lambda: self._stat(path))
        except FragmentMissing:
            return None

    def _stat(self, path: str) -> StoredFragment:
        if not self._storage.exists(path):
            raise FileNotFoundError(path)
        modified_at = self._storage.get_modified_time(path)
        if modified_at.tzinfo is None:
            modified_at = modified_at.replace(tzinfo=UTC)
        return StoredFragment(posixpath.basename(path), self._storage.size(path), modified_at)

    def delete(self, path: str) -> bool:
        """Delete what is there."""

        def delete() -> bool:
            is_there = self._storage.exists(path)
            if is_there:
                self._storage.delete(path)
            return is_there

        return self._call(path, delete)

    def list(self, directory: str) -> Iterator[StoredFragment]:
        """List one directory's names, then ask for each."""
        try:
            names = self._call(directory, lambda: self._storage.listdir(directory)[1])
        except FragmentMissing:
            return
        for name in names:
            found = self.stat(posixpath.join(directory, name))
            if found is not None:  # not deleted since
                yield found

    def space(self) -> None:
        """Say nothing: the API has no word for it."""

    def close(self) -> None:
        """Do nothing: the storage goes with its last user."""

    def _call(self, what: str, function: Callable[[], T]) -> T:
        """Run a function in a thread, and wait no longer than agreed; threads that hang are limited in number."""
        if not self._room.acquire(blocking=False):
            raise NodeUnavailable(f"{what}: {_CALLS_MAX} calls are under way or hang")
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  raised where it is waited for
                future.set_exception(error)
            finally:
                self._room.release()

        threading.Thread(target=run, name=f"storage {what}", daemon=True).start()
        try:
            return future.result(self._answer_seconds)
        except FutureTimeoutError:
            raise NodeUnavailable(f"{what}: no answer within {self._answer_seconds:g} s") from None
        except FileNotFoundError as error:
            raise FragmentMissing(what) from error
        except ChunkError:
            raise
        except Exception as error:
            # A storage raises what its own library raises: whatever it is, the node can't be used.
            kind = NoSpace if _is_full(error) else NodeUnavailable
            raise kind(f"{what}: {str(error) or type(error).__name__}") from error


def _is_full(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
