"""Fragments as files behind SFTP, through the connection that django-storages makes. OpenSSH is what it is argued for.

A put writes a temporary file, renames it over the name (posix-rename@openssh.com), and then asks for a sync of the file
(fsync@openssh.com), in the order of `LocalDisk` and for the same reason. A server without that sync is as durable as
it chooses to be. Requests of one connection must not be mixed by threads, so there are a few connections.
"""

import errno
import os
import posixpath
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import paramiko
from paramiko.sftp import CMD_EXTENDED

from chunks.erasure import Buffer
from chunks.errors import FragmentMissing, NodeUnavailable, NoSpace
from chunks.stores.django_storage.drivers import CONNECT_SECONDS, TEMPORARY_SUFFIX
from chunks.stores.django_storage.pool import Pool
from chunks.stores.protocol import StoredFragment, StoreSpace

_CONNECTIONS_MAX = 8  # OpenSSH drops some of more than ten that log in at once
_REQUEST_BYTES = 32 * 1024  # what every server takes in a request


def with_time_outs(options: dict[str, Any], answer_seconds: float) -> dict[str, Any]:
    """Return the options with time-outs for connecting and logging in, where they state none."""
    connect = min(CONNECT_SECONDS, answer_seconds)
    defaults = {"timeout": connect, "banner_timeout": answer_seconds, "auth_timeout": answer_seconds}
    return options | {"params": defaults | dict(options.get("params", {}))}


class SftpDriver:
    """As many `storages.backends.sftpstorage.SFTPStorage`s as there are connections."""

    def __init__(self, make_storage: Callable[[], Any], *, answer_seconds: float) -> None:
        self._pool = Pool(
            lambda: _Connection(make_storage(), answer_seconds), size=_CONNECTIONS_MAX, wait_seconds=answer_seconds
        )

    def put(self, path: str, buffers: Sequence[Buffer]) -> None:
        """Write, rename, sync."""
        with self._pool.borrowed() as connection, connection.translated(path):
            connection.write(path, b"".join(buffers))

    def put_new(self, path: str, data: bytes) -> None:
        """Write, and rename as SFTP's version 3 does: only where there is nothing of that name."""
        with self._pool.borrowed() as connection, connection.translated(path):
            connection.write_new(path, data)

    def prepare(self) -> None:
        """Make the root directory."""
        with self._pool.borrowed() as connection, connection.translated("root"):
            connection.make_directory(connection.root)

    def get(self, path: str, offset: int, length: int) -> bytes:
        """Seek and read; what needs several requests is asked for at once."""
        with self._pool.borrowed() as connection, connection.translated(path):
            return connection.read(path, offset, length)

    def stat(self, path: str) -> StoredFragment | None:
        """Look a file up."""
        try:
            with self._pool.borrowed() as connection, connection.translated(path):
                return _described(posixpath.basename(path), connection.sftp.stat(connection.place(path)))
        except FragmentMissing:
            return None

    def delete(self, path: str) -> bool:
        """Remove a file."""
        try:
            with self._pool.borrowed() as connection, connection.translated(path):
                connection.sftp.remove(connection.place(path))
        except FragmentMissing:
            return False
        return True

    def list(self, directory: str) -> Iterator[StoredFragment]:
        """Read a directory whole: one 256th of the store."""
        try:
            with self._pool.borrowed() as connection, connection.translated(directory):
                found = connection.sftp.listdir_attr(connection.place(directory))
        except FragmentMissing:
            return
        for entry in found:
            if entry.st_mode is None or stat.S_ISREG(entry.st_mode):
                yield _described(entry.filename, entry)

    def space(self) -> StoreSpace | None:
        """Ask for the file system's figures (statvfs@openssh.com); None of a server that has none."""
        with self._pool.borrowed() as connection, connection.translated("space"):
            return connection.space()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Connection:
    """One connection, used by one thread at a time."""

    def __init__(self, storage: Any, answer_seconds: float) -> None:
        self._storage = storage
        self._can_sync = True
        self.root: str = storage.root_path or "."
        try:
            self.sftp: paramiko.SFTPClient = storage.sftp
            channel = self.sftp.get_channel()
            if channel is not None:
                channel.settimeout(answer_seconds)
        except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
            storage.close()
            raise NodeUnavailable(f"{storage.host}: {error or type(error).__name__}") from error

    def place(self, path: str) -> str:
        return posixpath.join(self.root, path)

    def close(self) -> None:
        self._storage.close()

    def write(self, path: str, data: bytes) -> None:
        place = self.place(path)
        temporary = f"{place}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}"
        with self._open_new(temporary) as file:
            try:
                _write_all(file, data)
                self.sftp.posix_rename(temporary, place)
            except OSError:
                self._remove_quietly(temporary)
                raise
            try:
                self._sync(file)
            except OSError:
                self._remove_quietly(place)
                raise

    def write_new(self, path: str, data: bytes) -> None:
        place = self.place(path)
        temporary = f"{place}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}"
        with self._open_new(temporary) as file:
            _write_all(file, data)
            self._sync(file)
        try:
            self.sftp.rename(temporary, place)
        except OSError:
            self._remove_quietly(temporary)
            self.sftp.stat(place)  # the rival's mark, or the reason

    def _open_new(self, place: str) -> paramiko.SFTPFile:
        try:
            return self.sftp.open(place, "wx")
        except FileNotFoundError:
            # Only what lies below the root is made: a root that is gone is a disk that is not mounted.
            self.sftp.stat(self.root)
            self.make_directory(posixpath.dirname(place))
            return self.sftp.open(place, "wx")

    def make_directory(self, place: str) -> None:
        """Make a directory and those above it; that a rival makes them too is fine."""
        try:
            self.sftp.stat(place)
            return
        except FileNotFoundError:
            pass
        parent = posixpath.dirname(place)
        if parent not in {"", place}:
            self.make_directory(parent)
        try:
            self.sftp.mkdir(place)
        except OSError:
            self.sftp.stat(place)

    def _sync(self, file: paramiko.SFTPFile) -> None:
        if not self._can_sync:
            return
        try:
            self.sftp._request(CMD_EXTENDED, "fsync@openssh.com", file.handle)  # noqa: SLF001  paramiko has no name for it
        except OSError as error:
            if error.errno is None and "unsupported" in str(error).lower():
                self._can_sync = False
                return
            raise

    def read(self, path: str, offset: int, length: int) -> bytes:
        with self.sftp.open(self.place(path), "rb") as file:
            if length > _REQUEST_BYTES:
                size_bytes = file.stat().st_size or 0
                length = max(0, min(length, size_bytes - offset))
            if length > _REQUEST_BYTES:
                return b"".join(file.readv([(offset, length)]))
            file.seek(offset)
            return file.read(length) if length > 0 else b""

    def space(self) -> StoreSpace | None:
        try:
            _, answer = self.sftp._request(CMD_EXTENDED, "statvfs@openssh.com", self.root)  # noqa: SLF001  likewise
        except OSError as error:
            if error.errno == errno.ENOENT:
                raise
            return None
        _, fragment_bytes, blocks, _, available = (answer.get_int64() for _ in range(5))
        return StoreSpace(blocks * fragment_bytes, available * fragment_bytes)

    def _remove_quietly(self, place: str) -> None:
        with suppress(OSError):
            self.sftp.remove(place)

    @contextmanager
    def translated(self, what: str) -> Iterator[None]:
        """Turn what paramiko raises into what a store raises. A full disk is a failure without a number there."""
        try:
            yield
        except FileNotFoundError as error:
            raise FragmentMissing(what) from error
        except (paramiko.SSHException, EOFError, TimeoutError) as error:
            raise NodeUnavailable(f"{what}: {error or type(error).__name__}") from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT} or (error.errno is None and self._is_full()):
                raise NoSpace(f"{what}: the storage is full") from error
            raise NodeUnavailable(f"{what}: {str(error) or type(error).__name__}") from error

    def _is_full(self) -> bool:
        try:
            space = self.space()
        except (paramiko.SSHException, EOFError, OSError):
            return False
        return space is not None and space.free_bytes < _FULL_BELOW_BYTES


_FULL_BELOW_BYTES = 16 << 20  # no fragment is larger


def _write_all(file: paramiko.SFTPFile, data: bytes) -> None:
    """Write in pipelined requests, the last one not: only that waits for all answers, and raises what they say."""
    body, last = data[:-1], data[-1:]
    file.set_pipelined(True)
    view = memoryview(body)
    for start in range(0, len(view), _REQUEST_BYTES):
        file.write(bytes(view[start : start + _REQUEST_BYTES]))
    file.set_pipelined(False)
    file.write(last)


def _described(name: str, attributes: paramiko.SFTPAttributes) -> StoredFragment:
    return StoredFragment(
        name,
        attributes.st_size or 0,
        datetime.fromtimestamp(attributes.st_mtime or 0, UTC),
        is_unfinished=name.endswith(TEMPORARY_SUFFIX),
    )
