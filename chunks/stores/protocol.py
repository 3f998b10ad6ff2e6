"""The port between the engine and whatever keeps fragments.

A store keeps named runs of bytes on one node. It knows no chunks, schemes or checksums, and trusts nobody to have
verified anything. Every implementation passes tests/contract/test_fragment_store.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chunks.erasure import Buffer


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """What a store can say of something that it keeps. Unfinished: a write that is under way, or that a crash ended."""

    name: str
    size_bytes: int
    modified_at: datetime
    is_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class StoreSpace:
    """How large a store is, and how much of it this process may still fill."""

    total_bytes: int
    free_bytes: int


class SegmentFile(Protocol):
    """One node's copy of a segment, which one process writes. Not for several threads at once.

    After an error it is not appended to any more: what it holds beyond the last sync is unknown.
    """

    def append(self, buffers: Sequence[Buffer]) -> None:
        """Write the concatenation of `buffers` at the end. NoSpace if it does not fit."""

    def sync(self) -> None:
        """Make all that was appended survive a power loss; NodeUnavailable if that can't be said."""

    def close(self) -> None:
        """Let go of it; its bytes stay."""


class FragmentStore(Protocol):
    """One node's fragments. Safe to use from many threads.

    Each method raises NodeUnavailable when the node can't be used, whatever the reason; also when the store is not the
    one whose identity was expected. A store never takes an absent disk for an empty one.
    """

    @property
    def shard_count(self) -> int:
        """How many parts the listing has, numbered from 0."""

    @property
    def can_append(self) -> bool:
        """Say whether files can grow here; only then are segments begun."""

    def check_identity(self) -> UUID:
        """Return the identity that the store itself bears, if it is the expected one."""

    def space(self) -> StoreSpace | None:
        """Return its size and what is free of it; None where a store can't say, and is taken for endless."""

    def probe(self) -> None:
        """Write something durably, read it back and remove it; it is never listed. NoSpace if it does not fit."""

    def write_fragment(self, name: str, buffers: Sequence[Buffer]) -> None:
        """Keep the concatenation of `buffers` under `name`, durably, replacing what was there.

        It is visible whole or not at all, and survives a power loss once this returns. NoSpace if it does not fit.
        """

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        """Do all of `write_fragment` but the wait for the disk; the returned function, called once, does that.

        Between the two the fragment may be visible but not durable. Several small fragments that are staged first and
        made durable then share the disk's commits.
        """

    def create_segment(self, name: str) -> SegmentFile:
        """Begin an empty file under `name`, which must be new; others read what was appended at once.

        NodeUnavailable where `can_append` is False. NoSpace.
        """

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset`; fewer only where the fragment ends. FragmentMissing."""

    def read_at_once(self, name: str, offset: int, length: int) -> bytes | bytearray | None:
        """Return the same as `read_range` if that needs no waiting; None if it does, or if the store can't tell.

        A range that the fragment does not have, and a fragment that is not there, may be None or what `read_range` says.
        """

    def stat_fragment(self, name: str) -> StoredFragment | None:
        """Return what is known of it, or None if it is not there."""

    def delete_fragment(self, name: str) -> bool:
        """Remove it; say whether it was there."""

    def list_shard(self, shard: int) -> Iterator[StoredFragment]:
        """Yield all that one part of the store keeps, unfinished writes included, in no order."""
