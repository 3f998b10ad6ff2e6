"""Fragments as files in a directory of a local file system (ext4 and xfs are what it is argued for).

    <root>/identity                     the node's UUID, as text
    <root>/probe                        for a moment, what a look at the node's health writes and reads back
    <root>/fragments/ab/<name>          a fragment; "ab" are the last hex digits of its chunk's id
    <root>/fragments/ab/<name>.<random>.tmp    a write that is under way, or that a crash ended
    <root>/fragments/cd/<id>.segment    a copy of a segment; "cd" are the last hex digits of its id

The last digits of a chunk id are random in every version of UUID; the first are not. 256 directories keep each to some
ten thousands of files in a full store, which hashed directories take without slowing down, and give the sweep its parts.

A write is: create the temporary file, writev, rename, fsync of the file. The rename logs the file's inode, so that one
sync commits data and name together (ext4 and xfs). To every process the name shows all of it or nothing. After a power
loss before the sync has returned, the name may show a part; nothing refers to it then, as rows follow acknowledged
writes, its checksums tell, and the sweep deletes it. docs/design/fragment-format.md has the figures and the other ways.

The root directory is opened once, its identity is checked, and all names are relative to that handle: a disk that is
unmounted or swapped beneath us fails, and can't be mistaken for an empty one.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from stat import S_ISREG
from uuid import UUID, uuid4

from chunks.erasure import Buffer
from chunks.errors import FragmentMissing, NodeUnavailable, NoSpace
from chunks.fragment_format import SEGMENT_SUFFIX
from chunks.stores.protocol import StoredFragment, StoreSpace
from chunks.stores.segment_files import AppendedFile, OpenFile, OpenFiles, write_all

_IDENTITY = "identity"
_FRAGMENTS = "fragments"
_PROBE = "probe"
_PROBE_BYTES = b"objstore was here\n" * 256  # more than a block of the file system
_TEMPORARY_SUFFIX = ".tmp"
_SHARD_COUNT = 256
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

# Linux alone reads from the page cache and from nowhere else; elsewhere every read counts as one that waits.
_NO_WAIT = getattr(os, "RWF_NOWAIT", None)

# A larger fragment leaves the page cache once it is on the disk: a stream of uploads would push out what is read, and
# filling fresh pages cost a large upload half of its time.
_CACHED_BYTES_MAX = 64 * 1024


class LocalDisk:
    """The fragment store of one directory."""

    shard_count = _SHARD_COUNT
    can_append = True

    def __init__(self, root: str | Path, identity: UUID) -> None:
        self._root = Path(root)
        self._identity = identity
        self._segments = OpenFiles(self._open_to_read)
        try:
            self._root_handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise NodeUnavailable(f"{self._root}: {error.strerror}") from error
        try:
            self.check_identity()
        except NodeUnavailable:
            self.close()
            raise

    @staticmethod
    def initialize(root: str | Path) -> UUID:
        """Make a directory a store, and return the identity that it bears from now on, or bore already."""
        root = Path(root)
        try:
            (root / _FRAGMENTS).mkdir(parents=True, exist_ok=True)
            if not (root / _IDENTITY).exists():
                _write_identity(root, uuid4())
            return UUID((root / _IDENTITY).read_text())
        except (OSError, ValueError) as error:
            raise NodeUnavailable(f"{root}: {error}") from error

    def close(self) -> None:
        """Let go of the directory. The store can't be used afterwards."""
        handle, self._root_handle = self._root_handle, -1
        self._segments.forget_all()
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        if getattr(self, "_root_handle", -1) >= 0:
            self.close()

    def check_identity(self) -> UUID:
        """Return the identity, read afresh."""
        try:
            handle = os.open(_IDENTITY, os.O_RDONLY, dir_fd=self._root_handle)
            try:
                found = UUID(os.read(handle, 64).decode())
            finally:
                os.close(handle)
        except (OSError, ValueError) as error:
            raise NodeUnavailable(f"{self._root}: no identity: {error}") from error
        if found != self._identity:
            raise NodeUnavailable(f"{self._root} is node {found}, not {self._identity}")
        return found

    def space(self) -> StoreSpace:
        """Return what the file system says: free is what is left to processes that are not root's."""
        try:
            found = os.statvfs(self._root_handle)
        except OSError as error:
            raise self._translated(error) from error
        return StoreSpace(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)

    def probe(self) -> None:
        """Write, sync, read and remove a small file. Rivals write the same bytes, and each reads by its own handle."""
        try:
            handle = os.open(_PROBE, os.O_RDWR | os.O_CREAT, 0o640, dir_fd=self._root_handle)
            try:
                write_all(handle, [_PROBE_BYTES])
                os.fsync(handle)
                found = os.pread(handle, len(_PROBE_BYTES), 0)
            finally:
                os.close(handle)
                self._unlink_quietly(_PROBE)
        except OSError as error:
            raise self._translated(error) from error
        if found != _PROBE_BYTES:
            raise NodeUnavailable(f"{self._root}: what is written is not what is read")

    def write_fragment(self, name: str, buffers: Sequence[Buffer]) -> None:
        """Keep the concatenation of `buffers`. Costs one commit of the journal, shared with concurrent writers."""
        self.stage_fragment(name, buffers)()

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        """Write all but the sync; what is returned does that."""
        directory = _directory_of(name)
        final = f"{directory}/{name}"
        temporary = f"{final}.{os.urandom(6).hex()}{_TEMPORARY_SUFFIX}"
        try:
            handle = self._create(temporary, directory)
            try:
                size_bytes = write_all(handle, buffers)
                os.rename(temporary, final, src_dir_fd=self._root_handle, dst_dir_fd=self._root_handle)
            except OSError:
                os.close(handle)
                self._unlink_quietly(temporary)
                raise
        except OSError as error:
            raise self._translated(error) from error
        self._segments.forget(name)
        return partial(self._commit, handle, final, size_bytes)

    def _commit(self, handle: int, path: str, size_bytes: int) -> None:
        """Put a staged fragment on the disk for good, or take it away."""
        try:
            os.fsync(handle)
            if size_bytes > _CACHED_BYTES_MAX:
                _drop_from_cache(handle)
        except OSError as error:
            self._unlink_quietly(path)
            raise self._translated(error) from error
        finally:
            os.close(handle)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return a range. One open, one read; of a segment that was read just now, one read."""
        try:
            file = self._opened(name)
            return os.pread(file.handle, length, offset)
        except FileNotFoundError:
            self.check_identity()
            raise FragmentMissing(f"{self._root}: {name}") from None
        except OSError as error:
            raise self._translated(error) from error

    def read_at_once(self, name: str, offset: int, length: int) -> bytes | bytearray | None:
        """Return a range that the page cache holds. One open, one read; the name may still have to be looked up.

        Of a long range only the ends are looked at, so that it is read without a copy: what lies between them was read
        together with them.
        """
        if _NO_WAIT is None:
            return None
        data = bytearray(length if length <= _CACHED_BYTES_MAX else 1)
        try:
            file = self._opened(name)
            if length <= _CACHED_BYTES_MAX:
                return data if os.preadv(file.handle, (data,), offset, _NO_WAIT) == length else None
            for end in (offset + length - 1, offset):
                if os.preadv(file.handle, (data,), end, _NO_WAIT) != 1:
                    return None
            return os.pread(file.handle, length, offset)
        except OSError:
            return None

    def stat_fragment(self, name: str) -> StoredFragment | None:
        """Return size and age. One look-up."""
        try:
            return self._stat(_directory_of(name), name)
        except FileNotFoundError:
            self.check_identity()
            return None
        except OSError as error:
            raise self._translated(error) from error

    def delete_fragment(self, name: str) -> bool:
        """Remove it. Not synced: a fragment that a power loss brings back is an orphan, and swept."""
        path = f"{_directory_of(name)}/{name}"
        try:
            if name.endswith(SEGMENT_SUFFIX):
                self._segments.forget(name)
                self._truncate(path)
            os.unlink(path, dir_fd=self._root_handle)
        except FileNotFoundError:
            self.check_identity()
            return False
        except OSError as error:
            raise self._translated(error) from error
        return True

    def create_segment(self, name: str) -> AppendedFile:
        """Begin a segment."""
        directory = _directory_of(name)
        try:
            return AppendedFile(self._create(f"{directory}/{name}", directory), self._translated)
        except OSError as error:
            raise self._translated(error) from error

    def _opened(self, name: str) -> OpenFile:
        """Return an open file, which is closed when the caller forgets it, or stays open if it is a segment."""
        return self._segments.get(name) if name.endswith(SEGMENT_SUFFIX) else OpenFile(self._open_to_read(name))

    def _open_to_read(self, name: str) -> int:
        return os.open(f"{_directory_of(name)}/{name}", os.O_RDONLY, dir_fd=self._root_handle)

    def _truncate(self, path: str) -> None:
        """Give back a segment's room at once, though another process may have the file open."""
        handle = os.open(path, os.O_WRONLY, dir_fd=self._root_handle)
        try:
            os.ftruncate(handle, 0)
        finally:
            os.close(handle)

    def list_shard(self, shard: int) -> Iterator[StoredFragment]:
        """Yield what one directory keeps."""
        directory = f"{_FRAGMENTS}/{shard:02x}"
        try:
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root_handle)
        except FileNotFoundError:
            self.check_identity()
            return
        except OSError as error:
            raise self._translated(error) from error
        try:
            for name in os.listdir(handle):  # noqa: PTH208 - of a handle
                with suppress(FileNotFoundError):  # deleted or renamed since
                    yield self._stat(directory, name)
        except OSError as error:
            raise self._translated(error) from error
        finally:
            os.close(handle)

    def _stat(self, directory: str, name: str) -> StoredFragment:
        found = os.stat(f"{directory}/{name}", dir_fd=self._root_handle, follow_symlinks=False)
        if not S_ISREG(found.st_mode):
            raise FileNotFoundError(name)
        return StoredFragment(
            name,
            found.st_size,
            datetime.fromtimestamp(found.st_mtime, UTC),
            is_unfinished=name.endswith(_TEMPORARY_SUFFIX),
        )

    def _create(self, path: str, directory: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return os.open(path, flags, 0o640, dir_fd=self._root_handle)
        except FileNotFoundError:
            self.check_identity()
            self._create_directory(directory)
            return os.open(path, flags, 0o640, dir_fd=self._root_handle)

    def _create_directory(self, directory: str) -> None:
        """Create a fan-out directory durably.

        A thread that finds the directory just made may finish before that sync. Its own sync commits the entry too:
        the journals of ext4 and xfs are in order.
        """
        with suppress(FileExistsError):
            os.mkdir(directory, 0o750, dir_fd=self._root_handle)
        self._sync_directory(_FRAGMENTS)

    def _sync_directory(self, directory: str) -> None:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root_handle)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _unlink_quietly(self, path: str) -> None:
        with suppress(OSError):
            os.unlink(path, dir_fd=self._root_handle)

    def _translated(self, error: OSError) -> NodeUnavailable | NoSpace:
        kind = NoSpace if error.errno in _NO_SPACE else NodeUnavailable
        return kind(f"{self._root}: {error.strerror or error}")


def _directory_of(name: str) -> str:
    return f"{_FRAGMENTS}/{name.partition('.')[0][-2:]}"


def _drop_from_cache(handle: int) -> None:
    if hasattr(os, "posix_fadvise"):  # macOS has none
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _write_identity(root: Path, identity: UUID) -> None:
    """Write the file that makes a directory a node, so that it is there whole or not at all."""
    temporary = root / f"{_IDENTITY}.{os.getpid()}{_TEMPORARY_SUFFIX}"
    with temporary.open("w") as file:
        file.write(str(identity))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # another process was first: its identity stands
        os.link(temporary, root / _IDENTITY)
    temporary.unlink()
    for directory in (root, root.parent):
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
