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

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from chunks.erasure import Buffer, Scheme
from chunks.errors import ChunkError, NodeUnavailable, NoSpace
from chunks.fan_out import Lane
from chunks.fragment_format import segment_name
from chunks.ids import new_chunk_id
from chunks.placement import find_misplaced, place_with_hand_off
from chunks.records import MEBIBYTE
from chunks.stores.protocol import SegmentFile
from chunks.topology import Topology

SEGMENT_BYTES_MAX = 64 * MEBIBYTE
SEGMENT_CHUNKS_MAX = 20_000  # bounds what a statement over all chunks of a segment touches
SEGMENT_SECONDS_MAX = 900.0
GROUP_BYTES_MAX = 4 * MEBIBYTE
PACKED_BYTES_MAX = 64 * 1024  # larger ones keep files: docs/decisions/0015-small-chunks-in-segments.md
MISPLACED_SECONDS_MAX = 10.0  # until nodes that failed are tried again
SECOND_GROUP_CHUNKS_MIN = 16  # waiting while another group is under way: enough to be worth syncs of their own
_TRIES = 3

T = TypeVar("T")

_syncs = Lane(8)


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment that is about to be begun: the values of its row."""

    id: UUID
    storage_class: str
    scheme: str
    node_ids: tuple[int, ...]


class SegmentRegistry(Protocol):
    """Where segments are written down."""

    def register(self, segment: NewSegment) -> None:
        """Write a row that outlives this process, whatever becomes of a transaction of the caller's. ChunkError."""

    def seal(self, segment_id: UUID, size_bytes: int) -> None:
        """Say that nobody appends to it any more. ChunkError; then its age will say so."""


@dataclass(frozen=True, slots=True)
class PackedFragment:
    """A chunk's only fragment, header first, and the chunk's id."""

    chunk_id: UUID
    buffers: Sequence[Buffer]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Packed:
    """Where fragments that were handed in together lie, durable: `offsets` in their order, in bytes."""

    segment_id: UUID
    node_ids: tuple[int, ...]
    offsets: tuple[int, ...]
    misplaced: tuple[int, ...]  # indexes of copies that crowd a node or zone


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


class _Slot:
    """An open segment and who appends to it: the leader of one group at a time."""

    def __init__(self) -> None:
        self.segment: _OpenSegment | None = None  # the leader's alone


class _Ticket:
    """Fragments that wait for their group, and what became of them. Its gate opens when that is known.

    With a slot, it is the one who leads.
    """

    __slots__ = ("fragments", "gate", "packed", "size_bytes", "slot")

    def __init__(self, fragments: Sequence[PackedFragment]) -> None:
        self.fragments = fragments
        self.size_bytes = sum(fragment.size_bytes for fragment in fragments)
        self.packed: Packed | None = None
        self.slot: _Slot | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class _Queue:
    """Those who wait, and the open segments that the leaders among them append to.

    There are two, so that a slow sync does not keep those waiting who came after it began.
    """

    def __init__(self, packer: Packer, storage_class: str, scheme: Scheme) -> None:
        self._packer = packer
        self._storage_class = storage_class
        self._scheme = scheme
        self._mutex = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._slots = [_Slot(), _Slot()]
        self._idle = self._slots[::-1]  # the first is used whenever one is enough

    def commit(self, fragments: Sequence[PackedFragment], topology: Topology) -> Packed | None:
        ticket = _Ticket(fragments)
        with self._mutex:
            self._waiting.append(ticket)
            if self._is_leader_wanted():
                ticket.slot = self._idle.pop()
        if ticket.slot is None:
            ticket.gate.acquire()
        slot = ticket.slot
        if slot is None:
            return ticket.packed
        group = self._take_group(ticket)
        try:
            self._write(slot, group, topology)
        finally:
            self._pass_on(slot, group)
        return ticket.packed

    def _is_leader_wanted(self) -> bool:
        """Say whether one who waits should lead. Under the mutex."""
        if not self._waiting or not self._idle:
            return False
        return len(self._idle) == len(self._slots) or len(self._waiting) >= SECOND_GROUP_CHUNKS_MIN

    def close(self) -> None:
        """Seal the segments that nobody is appending to."""
        with self._mutex:
            idle, self._idle = self._idle, []
        for slot in idle:
            try:
                self._leave_segment(slot)
            finally:
                self._pass_on(slot, [])

    def _take_group(self, leader: _Ticket) -> list[_Ticket]:
        """Take those who wait, the leader first, as far as they make a group. Other leaders to be are not taken."""
        with self._mutex:
            group, left, size_bytes = [leader], [], leader.size_bytes
            for ticket in self._waiting:
                if ticket is leader:
                    continue
                if ticket.slot is None and size_bytes + ticket.size_bytes <= GROUP_BYTES_MAX:
                    group.append(ticket)
                    size_bytes += ticket.size_bytes
                else:
                    left.append(ticket)
            self._waiting = left
            return group

    def _pass_on(self, slot: _Slot, group: Sequence[_Ticket]) -> None:
        """Wake the group, whatever became of it, and the next leader if somebody waits."""
        with self._mutex:
            self._idle.append(slot)
            successor = None
            if self._is_leader_wanted():
                successor = next((ticket for ticket in self._waiting if ticket.slot is None), None)
            if successor is not None:
                successor.slot = self._idle.pop()
        if successor is not None:
            successor.gate.release()
        for ticket in group:
            if ticket.slot is None:
                ticket.gate.release()

    def _write(self, slot: _Slot, group: Sequence[_Ticket], topology: Topology) -> None:
        size_bytes = sum(ticket.size_bytes for ticket in group)
        for _ in range(_TRIES):
            try:
                segment = self._segment_for(slot, size_bytes, topology)
                if segment is None:
                    return
                segment.append(group)
            except BaseException as error:
                self._leave_segment(slot)
                if not isinstance(error, ChunkError):
                    raise
            else:
                self._packer.group_count += 1
                return

    def _segment_for(self, slot: _Slot, size_bytes: int, topology: Topology) -> "_OpenSegment | None":
        usable = topology.usable_for_writing()
        if slot.segment is not None and not self._is_fit(slot.segment, size_bytes, usable, topology):
            self._leave_segment(slot)
        if slot.segment is None:
            slot.segment = self._begin_segment(usable, topology)
        return slot.segment

    def _is_fit(self, segment: "_OpenSegment", size_bytes: int, usable: set[int], topology: Topology) -> bool:
        packer = self._packer
        return (
            segment.size_bytes + size_bytes <= packer.segment_bytes_max
            and segment.chunk_count < SEGMENT_CHUNKS_MAX
            and packer.clock() - segment.began_at < segment.seconds_max(packer.segment_seconds_max)
            and all(node_id in usable and topology.store(node_id) is store for node_id, store in segment.stores)
        )

    def _begin_segment(self, usable: set[int], topology: Topology) -> "_OpenSegment | None":
        copies = self._scheme.fragment_count
        able = {node_id for node_id in usable if _can_append(node_id, topology)}
        if len(able) < copies:
            return None
        segment_id = new_chunk_id()
        node_ids = place_with_hand_off(segment_id, copies, topology.known, able)
        if able != usable and _misplaced(segment_id, node_ids, topology):
            anywhere = place_with_hand_off(segment_id, copies, topology.known, usable)
            if not _misplaced(segment_id, anywhere, topology):
                return None  # better a file in each zone than segments that crowd the local disks
        row = NewSegment(segment_id, self._storage_class, str(self._scheme), node_ids)
        self._packer.registry.register(row)
        segment = _OpenSegment(row, topology, began_at=self._packer.clock())
        try:
            segment.begin()
        except ChunkError:
            self._seal(segment)
            raise
        return segment

    def _leave_segment(self, slot: _Slot) -> None:
        segment, slot.segment = slot.segment, None
        if segment is not None:
            self._seal(segment)

    def _seal(self, segment: "_OpenSegment") -> None:
        segment.close()
        with suppress(ChunkError):
            self._packer.registry.seal(segment.row.id, segment.size_bytes)


class _OpenSegment:
    """A segment that this process appends to."""

    def __init__(self, row: NewSegment, topology: Topology, *, began_at: float) -> None:
        self.row = row
        self.began_at = began_at
        self.size_bytes = 0
        self.chunk_count = 0
        self.stores = [(node_id, topology.store(node_id)) for node_id in row.node_ids]
        self._topology = topology
        self._files: list[SegmentFile] = []
        self._misplaced = tuple(_misplaced(row.id, row.node_ids, topology))

    def begin(self) -> None:
        """Create the copies."""
        name = segment_name(self.row.id)
        for node_id, store in self.stores:
            self._files.append(self._on_node(node_id, partial(store.create_segment, name)))

    def append(self, group: Sequence[_Ticket]) -> None:
        """Append all that a group handed in, to every copy, and make it durable; tell the group where it lies."""
        buffers = [buffer for ticket in group for fragment in ticket.fragments for buffer in fragment.buffers]
        copies = list(zip(self.row.node_ids, self._files, strict=True))
        for node_id, file in copies:
            self._on_node(node_id, partial(file.append, buffers))
        failures = _syncs.run_all([partial(self._sync, node_id, file) for node_id, file in copies])
        for failure in failures:
            if failure is not None:
                raise failure
        for ticket in group:
            offsets = []
            for fragment in ticket.fragments:
                offsets.append(self.size_bytes)
                self.size_bytes += fragment.size_bytes
            self.chunk_count += len(offsets)
            ticket.packed = Packed(self.row.id, self.row.node_ids, tuple(offsets), self._misplaced)

    def _sync(self, node_id: int, file: SegmentFile) -> BaseException | None:
        """Sync a copy; return what went wrong, so that nobody closes the others' files before they are done."""
        try:
            self._on_node(node_id, file.sync)
        except BaseException as failure:  # noqa: BLE001  raised by the caller
            return failure
        return None

    def seconds_max(self, ordinary: float) -> float:
        """Return how long to append to it: one that stands badly makes way for a better one soon."""
        return min(ordinary, MISPLACED_SECONDS_MAX) if self._misplaced else ordinary

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def _on_node(self, node_id: int, action: Callable[[], T]) -> T:
        try:
            return action()
        except NoSpace:
            self._topology.report_full(node_id)
            raise
        except NodeUnavailable:
            self._topology.report_failure(node_id)
            raise


def _misplaced(segment_id: UUID, node_ids: Sequence[int], topology: Topology) -> list[int]:
    placeable = topology.with_room() or topology.writable
    return find_misplaced(segment_id, node_ids, placeable) if placeable else []


def _can_append(node_id: int, topology: Topology) -> bool:
    try:
        return topology.store(node_id).can_append
    except NodeUnavailable:
        topology.report_failure(node_id)
        return False
