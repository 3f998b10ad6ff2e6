"""A fragment store on a driver: what holds for every sort of storage.

    identity                    the node's UUID, as text
    probe                       for a moment, what a look at the node's health writes and reads back
    fragments/ab/<name>         a fragment; "ab" are the last hex digits of its chunk's id, as on a local disk

A path leads to whatever lies there now: nothing ties a request to the bucket that was there a moment ago. So each write
ends with a look at the identity that begins after the bytes were taken, and is acknowledged only if that is the expected
one: a bucket that was emptied or swapped is a node that is down, whatever it took before. Deletes and listings begin with
such a look, so that nothing is swept from a bucket that is another node's. Those who look at the same time share it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from uuid import UUID, uuid4

from chunks.erasure import Buffer
from chunks.errors import ChunkError, FragmentMissing, NodeUnavailable
from chunks.stores.django_storage.drivers import Driver
from chunks.stores.django_storage.usage import Usage
from chunks.stores.protocol import SegmentFile, StoredFragment, StoreSpace

_IDENTITY = "identity"
_PROBE = "probe"
_PROBE_BYTES = b"objstore was here\n" * 256
_PROBE_TRIES = 3
_SHARD_COUNT = 256
_STAGED_AT_ONCE = 16


class DjangoStorage:
    """The fragment store of one storage."""

    shard_count = _SHARD_COUNT
    can_append = False

    def __init__(self, driver: Driver, identity: UUID, *, capacity_bytes: int | None = None) -> None:
        self._driver = driver
        self._identity = identity
        self._look = threading.Lock()
        self._seen_at = float("-inf")  # when the last look began that found the right identity
        self._usage = None if capacity_bytes is None else Usage(capacity_bytes, self._list_all)
        self.check_identity()

    @staticmethod
    def initialize(driver: Driver) -> UUID:
        """Make a storage a store, and return the identity that it bears from now on, or bore already."""
        found = read_identity(driver)
        if found is None:
            driver.prepare()
            driver.put_new(_IDENTITY, str(uuid4()).encode())
            found = read_identity(driver)  # a rival's, perhaps
        if found is None:
            raise NodeUnavailable("the mark that was written is not there")
        return found

    def close(self) -> None:
        """Let go of connections."""
        self._driver.close()

    @classmethod
    def find(cls, driver: Driver) -> "DjangoStorage":
        """Open a store whatever its identity is; NodeUnavailable if it has none."""
        found = read_identity(driver)
        if found is None:
            raise NodeUnavailable("no identity: the storage is empty, or not a node")
        return cls(driver, found)

    def check_identity(self) -> UUID:
        """Return the identity, read afresh."""
        found = read_identity(self._driver)
        if found is None:
            raise NodeUnavailable("no identity: the storage is empty, or another one")
        if found != self._identity:
            raise NodeUnavailable(f"the storage is node {found}, not {self._identity}")
        return found

    def _confirm_identity(self) -> None:
        """Return once a look has found the right identity that began after this was called."""
        called_at = time.monotonic()
        with self._look:
            if self._seen_at > called_at:
                return
            begun_at = time.monotonic()
            self.check_identity()
            self._seen_at = begun_at

    def space(self) -> StoreSpace | None:
        """Return what the storage says, or what is left of the capacity that people stated; None if neither is known."""
        return self._driver.space() if self._usage is None else self._usage.space()

    def probe(self) -> None:
        """Write, read and remove a small object. A rival's probe may remove it before it is read."""
        for _ in range(_PROBE_TRIES):
            self._driver.put(_PROBE, [_PROBE_BYTES])
            try:
                found = self._driver.get(_PROBE, 0, len(_PROBE_BYTES))
            except FragmentMissing:
                continue
            self._driver.delete(_PROBE)
            if found != _PROBE_BYTES:
                raise NodeUnavailable("what is written is not what is read")
            return
        raise NodeUnavailable("what is written is not there")

    def write_fragment(self, name: str, buffers: Sequence[Buffer]) -> None:
        """Keep the concatenation of `buffers`. One request, and one small one that writers share."""
        self._put(name, buffers)
        self._confirm_identity()

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        """Begin to send it in another thread; what is returned waits for that."""
        future: Future[None] = _senders().submit(self._put, name, buffers)

        def commit() -> None:
            future.result()
            self._confirm_identity()

        return commit

    def _put(self, name: str, buffers: Sequence[Buffer]) -> None:
        try:
            self._driver.put(_path_of(name), buffers)
        except FragmentMissing as error:  # a bucket or a root directory that is gone
            raise NodeUnavailable(str(error)) from error
        if self._usage is not None:
            self._usage.add(sum(memoryview(buffer).nbytes for buffer in buffers))

    def create_segment(self, name: str) -> SegmentFile:
        """Refuse: what is stored can't grow. A sealed segment is written as a whole, like a fragment."""
        raise NodeUnavailable(f"{name} can't be begun in a storage where nothing grows")

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return a range. One request."""
        try:
            return self._driver.get(_path_of(name), offset, length)
        except FragmentMissing:
            self.check_identity()
            raise

    def read_at_once(self, name: str, offset: int, length: int) -> None:
        """Return None: every answer of another machine has to be waited for."""

    def stat_fragment(self, name: str) -> StoredFragment | None:
        """Return size and age. One request."""
        found = self._driver.stat(_path_of(name))
        if found is None:
            self.check_identity()
        return found

    def delete_fragment(self, name: str) -> bool:
        """Remove it, from the right storage: what lies in another one by this name is not ours. A few requests."""
        self._confirm_identity()
        return self._driver.delete(_path_of(name))

    def list_shard(self, shard: int) -> Iterator[StoredFragment]:
        """Yield what lies in one directory."""
        self._confirm_identity()
        yield from self._driver.list(f"fragments/{shard:02x}")

    def _list_all(self) -> Iterator[StoredFragment]:
        for shard in range(self.shard_count):
            yield from self._driver.list(f"fragments/{shard:02x}")


def _path_of(name: str) -> str:
    return f"fragments/{name.partition('.')[0][-2:]}/{name}"


def read_identity(driver: Driver) -> UUID | None:
    """Return the identity that a storage bears, None if it bears none."""
    try:
        return UUID(driver.get(_IDENTITY, 0, 64).decode())
    except FragmentMissing:
        return None
    except ValueError as error:
        raise NodeUnavailable(f"the identity is damaged: {error}") from error
    except ChunkError as error:
        raise NodeUnavailable(str(error)) from error


@lru_cache(maxsize=1)
def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_STAGED_AT_ONCE, thread_name_prefix="storage senders")


os.register_at_fork(after_in_child=_senders.cache_clear)  # the threads stay behind in the parent
