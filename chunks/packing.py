"""Pack small chunks into segments: files that grow, so that a small chunk costs neither files nor syncs of its own.

Whoever writes a small chunk hands it in and waits. The first to come leads: it appends all that wait to this process's
open segment, on each of the segment's nodes, syncs each once, and wakes the others; who came meanwhile is the next
group. A chunk is acknowledged when every copy of its group is durable.

A segment's row is there before its files (docs/design/write-ordering.md, paragraph 1). It is left for a new one when it
is full or old, when one of its nodes takes nothing any more, and after every error: what was appended without being
acknowledged is dead, and nobody appends behind it. With fewer nodes than copies nothing is packed: the caller's way of
a file for each fragment knows what to do then.

Not for: remote stores, where nothing can be appended; what becomes of segments afterwards (`chunks.services.segments`).
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chunks.erasure import Scheme
from chunks.errors import ChunkError, NodeUnavailable
from chunks.gathering import Gathering
from chunks.ids import new_chunk_id
from chunks.open_segment import NewSegment, OpenSegment, Packed, PackedFragment, misplaced_copies
from chunks.placement import place_with_hand_off
from chunks.records import MEBIBYTE
from chunks.topology import Topology

SEGMENT_BYTES_MAX = 64 * MEBIBYTE
SEGMENT_CHUNKS_MAX = 20_000  # bounds what a statement over all chunks of a segment touches
SEGMENT_SECONDS_MAX = 900.0
GROUP_BYTES_MAX = 4 * MEBIBYTE
PACKED_BYTES_MAX = 64 * 1024  # larger ones keep files: docs/decisions/0015-small-chunks-in-segments.md
SECOND_GROUP_MIN = 16  # writers waiting while a group is under way: enough to be worth syncs of their own
_TRIES = 3


class SegmentRegistry(Protocol):
    """Where segments are written down."""

    def register(self, segment: NewSegment) -> None:
        """Write a row that outlives this process, whatever becomes of a transaction of the caller's. ChunkError."""

    def seal(self, segment_id: UUID, size_bytes: int) -> None:
        """Say that nobody appends to it any more. ChunkError; then its age will say so."""


class Packer:
    """The open segments of this process: one for each storage class and scheme. For many threads."""

    def __init__(
        self,
        registry: SegmentRegistry,
        *,
        packed_bytes_max: int = PACKED_BYTES_MAX,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        segment_seconds_max: float = SEGMENT_SECONDS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.registry = registry
        self.segment_bytes_max = segment_bytes_max
        self.segment_seconds_max = segment_seconds_max
        self.clock = clock
        self.group_count = 0
        self._packed_bytes_max = packed_bytes_max
        self._queues: dict[tuple[str, Scheme], _Queue] = {}

    def takes(self, scheme: Scheme, size_bytes: int) -> bool:
        """Say whether chunks of this scheme and size are packed."""
        return scheme.is_replicated and size_bytes <= self._packed_bytes_max

    def pack(
        self, fragments: Sequence[PackedFragment], *, storage_class: str, scheme: Scheme, topology: Topology
    ) -> Packed | None:
        """Append fragments to an open segment, durably, all of them to the same one. None where that can't be done."""
        queue = self._queues.get((storage_class, scheme))
        if queue is None:
            queue = self._queues.setdefault((storage_class, scheme), _Queue(self, storage_class, scheme))
        return queue.commit(fragments, topology)

    def close(self) -> None:
        """Seal what is open."""
        for queue in self._queues.values():
            queue.close()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Fragments that wait for their group, and the nodes as their writer knows them."""

    fragments: Sequence[PackedFragment]
    topology: Topology


def _size_bytes(waiting: _Waiting) -> int:
    return sum(fragment.size_bytes for fragment in waiting.fragments)


class _Queue:
    """Those who wait for one storage class and scheme, and the segments that are open for them.

    Mostly one segment is; a slow sync does not hold up who came after it began, and a group that is under way beside
    another has a segment of its own.
    """

    def __init__(self, packer: Packer, storage_class: str, scheme: Scheme) -> None:
        self._packer = packer
        self._storage_class = storage_class
        self._scheme = scheme
        self._idle: list[OpenSegment] = []  # the last is used first; append and pop are atomic
        self._gathering = Gathering(
            self._commit, group_size_max=GROUP_BYTES_MAX, size_of=_size_bytes, second_group_min=SECOND_GROUP_MIN
        )

    def commit(self, fragments: Sequence[PackedFragment], topology: Topology) -> Packed | None:
        """Append fragments with those of the others who wait. None where that can't be done."""
        return self._gathering.submit(_Waiting(fragments, topology))

    def close(self) -> None:
        """Seal the segments that nobody is appending to."""
        while (segment := self._take_idle()) is not None:
            self._seal(segment)

    def _take_idle(self) -> OpenSegment | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _commit(self, group: Sequence[_Waiting]) -> Sequence[Packed | None]:
        size_bytes = sum(_size_bytes(waiting) for waiting in group)
        topology = group[0].topology
        for _ in range(_TRIES):
            segment = self._take_idle()
            try:
                if segment is not None and not self._is_fit(segment, size_bytes, topology):
                    self._seal(segment)
                    segment = None
                segment = segment or self._begin_segment(topology)
                if segment is None:
                    break
                packed = segment.append([waiting.fragments for waiting in group])
            except BaseException as error:
                if segment is not None:
                    self._seal(segment)
                if not isinstance(error, ChunkError):
                    raise
            else:
                self._packer.group_count += 1
                self._idle.append(segment)
                return packed
        return [None] * len(group)

    def _is_fit(self, segment: OpenSegment, size_bytes: int, topology: Topology) -> bool:
        packer, usable = self._packer, topology.usable_for_writing()
        return (
            segment.size_bytes + size_bytes <= packer.segment_bytes_max
            and segment.chunk_count < SEGMENT_CHUNKS_MAX
            and packer.clock() - segment.began_at < segment.seconds_max(packer.segment_seconds_max)
            and all(node_id in usable and topology.store(node_id) is store for node_id, store in segment.stores)
        )

    def _begin_segment(self, topology: Topology) -> OpenSegment | None:
        copies, usable = self._scheme.fragment_count, topology.usable_for_writing()
        able = {node_id for node_id in usable if _can_append(node_id, topology)}
        if len(able) < copies:
            return None
        segment_id = new_chunk_id()
        node_ids = place_with_hand_off(segment_id, copies, topology.known, able)
        if able != usable and misplaced_copies(segment_id, node_ids, topology):
            anywhere = place_with_hand_off(segment_id, copies, topology.known, usable)
            if not misplaced_copies(segment_id, anywhere, topology):
                return None  # better a file in each zone than segments that crowd the local disks
        row = NewSegment(segment_id, self._storage_class, str(self._scheme), node_ids)
        self._packer.registry.register(row)
        segment = OpenSegment(row, topology, began_at=self._packer.clock())
        try:
            segment.begin()
        except ChunkError:
            self._seal(segment)
            raise
        return segment

    def _seal(self, segment: OpenSegment) -> None:
        segment.close()
        with suppress(ChunkError):
            self._packer.registry.seal(segment.row.id, segment.size_bytes)


def _can_append(node_id: int, topology: Topology) -> bool:
    try:
        return topology.store(node_id).can_append
    except NodeUnavailable:
        topology.report_failure(node_id)
        return False
