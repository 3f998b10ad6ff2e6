"""A segment that is being written: equal copies on several nodes, to which groups of small chunks are appended.

Who appends, and when another is begun: `chunks.packing`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from chunks.erasure import Buffer
from chunks.errors import NodeUnavailable, NoSpace
from chunks.fan_out import Lane
from chunks.fragment_format import segment_name
from chunks.placement import find_misplaced
from chunks.stores.protocol import SegmentFile
from chunks.topology import Topology

MISPLACED_SECONDS_MAX = 10.0  # until nodes that failed are tried again

T = TypeVar("T")

_syncs = Lane(8)


@dataclass(frozen=True, slots=True)
class NewSegment:
    """A segment that is about to be begun: the values of its row."""

    id: UUID
    storage_class: str
    scheme: str
    node_ids: tuple[int, ...]


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


class OpenSegment:
    """A segment that this process appends to."""

    def __init__(self, row: NewSegment, topology: Topology, *, began_at: float) -> None:
        self.row = row
        self.began_at = began_at
        self.size_bytes = 0
        self.chunk_count = 0
        self.stores = [(node_id, topology.store(node_id)) for node_id in row.node_ids]
        self._topology = topology
        self._files: list[SegmentFile] = []
        self._misplaced = tuple(misplaced_copies(row.id, row.node_ids, topology))

    def begin(self) -> None:
        """Create the copies."""
        name = segment_name(self.row.id)
        for node_id, store in self.stores:
            self._files.append(self._on_node(node_id, partial(store.create_segment, name)))

    def append(self, group: Sequence[Sequence[PackedFragment]]) -> list[Packed]:
        """Append what each of a group handed in, to every copy, and make it durable; tell where it lies."""
        buffers = [buffer for fragments in group for fragment in fragments for buffer in fragment.buffers]
        copies = list(zip(self.row.node_ids, self._files, strict=True))
        for node_id, file in copies:
            self._on_node(node_id, partial(file.append, buffers))
        failures = _syncs.run_all([partial(self._sync, node_id, file) for node_id, file in copies])
        for failure in failures:
            if failure is not None:
                raise failure
        return [self._packed(fragments) for fragments in group]

    def _packed(self, fragments: Sequence[PackedFragment]) -> Packed:
        """Count what one handed in."""
        offsets = []
        for fragment in fragments:
            offsets.append(self.size_bytes)
            self.size_bytes += fragment.size_bytes
        self.chunk_count += len(offsets)
        return Packed(self.row.id, self.row.node_ids, tuple(offsets), self._misplaced)

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


def misplaced_copies(segment_id: UUID, node_ids: Sequence[int], topology: Topology) -> list[int]:
    """Return the indexes of copies that crowd a node or zone, where the nodes that there are allow for better."""
    placeable = topology.with_room() or topology.writable
    return find_misplaced(segment_id, node_ids, placeable) if placeable else []
