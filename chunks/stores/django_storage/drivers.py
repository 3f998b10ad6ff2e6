"""What the adapter asks of a storage, whatever sort it is."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from chunks.erasure import Buffer
from chunks.stores.protocol import StoredFragment, StoreSpace

# Time-outs, so that a server that is gone is a node that is down within seconds: to connect, and for each answer.
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0

TEMPORARY_SUFFIX = ".tmp"


class Driver(Protocol):
    """One storage, asked for runs of bytes by path. Safe to use from many threads.

    FragmentMissing where a path has nothing, NoSpace where a storage is full, NodeUnavailable for all else.
    """

    def put(self, path: str, buffers: Sequence[Buffer]) -> None:
        """Keep the concatenation of `buffers` for good, replacing what was there; whole or not at all."""

    def put_new(self, path: str, data: bytes) -> None:
        """Keep `data` unless the path has something already. For a mark that rivals may set at once."""

    def prepare(self) -> None:
        """Make the root, where the storage has directories and this one is new."""

    def get(self, path: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`, fewer only where the content ends."""

    def stat(self, path: str) -> StoredFragment | None:
        """Return size and age; the name is the path's last part."""

    def delete(self, path: str) -> bool:
        """Remove it; say whether it was there."""

    def list(self, directory: str) -> Iterator[StoredFragment]:
        """Yield all in one directory, in bounded memory; none where there is no such directory."""

    def space(self) -> StoreSpace | None:
        """Return size and free space; None where the storage can't tell."""

    def close(self) -> None:
        """Let go of connections."""
