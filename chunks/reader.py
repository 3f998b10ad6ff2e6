"""Read a chunk, or a range of it: never a wrong byte, and an answer as long as enough fragments are left.

A healthy read touches only the data fragments that the range needs, and of them only the blocks; each block is checked
before a byte of it is given out. A fragment that is missing, damaged, out of reach or late (`hedging`) is replaced, for
the piece at hand, by the same positions of others, so a degraded read holds `data_count` pieces in memory and, where one
is late, one more. What was found wrong is told to `on_fault`, once per fragment; queueing the repair is the caller's, who owns the transaction.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from chunks import topology as topologies
from chunks.erasure import parse_scheme, reconstruct
from chunks.errors import ChunkError, FragmentCorrupt, FragmentMissing, NodeUnavailable, NotEnoughFragments
from chunks.fragment_format import (
    BLOCK_BYTES,
    FragmentHeader,
    check_blocks,
    fragment_name,
    header_length_bytes,
    parse_header,
    segment_name,
)
from chunks.hedging import GIVE_UP_SECONDS, LAST_RESORT_SECONDS, PATIENCE_SECONDS_MAX, Race
from chunks.records import MEBIBYTE, ChunkView, FaultKind, FaultRecord
from chunks.topology import Topology

PIECE_BYTES = MEBIBYTE  # a multiple of BLOCK_BYTES, so that pieces of a whole chunk share no block
_READ_WITH_HEADER_BYTES = 2 * BLOCK_BYTES  # above this, a second read costs less than copying the payload apart

OnFault = Callable[[FaultRecord], None]
Piece: TypeAlias = bytes | bytearray | memoryview


class _WouldWait(Exception):
    """What is to be read is not in memory."""


def ignore_fault(_fault: FaultRecord) -> None:
    """Report nothing: for readers that look into faults themselves."""


def read_chunk_range(
    chunk: ChunkView,
    start: int = 0,
    length: int | None = None,
    *,
    on_fault: OnFault = ignore_fault,
    topology: Topology | None = None,
) -> Iterator[bytes]:
    """Yield `length` bytes from `start` (all that follow if None) in pieces of up to 1 MiB.

    NotEnoughFragments, possibly after some pieces, when the rest can't be given. Costs one or two reads for the first
    piece of each data fragment and one for each further piece.
    """
    end = _checked_end(chunk, start, length)
    return _pieces(_ChunkReader(chunk, topology or topologies.current(), on_fault), start, end)


def read_chunk(
    chunk: ChunkView,
    start: int = 0,
    length: int | None = None,
    *,
    on_fault: OnFault = ignore_fault,
    topology: Topology | None = None,
) -> bytes:
    """Return the same as `read_chunk_range` in one run of bytes: one read for a chunk of up to 128 KiB of copies."""
    end = _checked_end(chunk, start, length)
    reader = _ChunkReader(chunk, topology or topologies.current(), on_fault)
    if end <= min(reader.payload_bytes, PIECE_BYTES):
        return bytes(reader.read_piece(0, start, end)) if start < end else b""
    return b"".join(_pieces(reader, start, end))


def check_fragment(chunk: ChunkView, fragment_index: int, topology: Topology) -> None:
    """Read a whole fragment and check it. FragmentMissing, FragmentCorrupt or NodeUnavailable if it is not well."""
    reader = _FragmentReader(chunk, fragment_index, topology)
    for start in range(0, max(reader.payload_bytes, 1), PIECE_BYTES):
        reader.read(start, min(start + PIECE_BYTES, reader.payload_bytes))


def read_fragment(chunk: ChunkView, fragment_index: int, topology: Topology) -> bytes:
    """Return a whole fragment as it lies on its node, header and all, checked. One read; errors as `check_fragment`."""
    return _FragmentReader(chunk, fragment_index, topology).read_whole()


def _checked_end(chunk: ChunkView, start: int, length: int | None) -> int:
    end = chunk.size_bytes if length is None else start + length
    if not 0 <= start <= end <= chunk.size_bytes:
        raise ValueError(f"bytes {start} to {end} of a chunk of {chunk.size_bytes}")
    return end


def _pieces(reader: "_ChunkReader", start: int, end: int) -> Iterator[bytes]:
    while start < end:
        fragment_index, offset = divmod(start, reader.payload_bytes)
        piece_end = min(offset - offset % PIECE_BYTES + PIECE_BYTES, reader.payload_bytes, offset + end - start)
        yield bytes(reader.read_piece(fragment_index, offset, piece_end))
        start += piece_end - offset


class _ChunkReader:
    """One reading of a chunk, and what it has learnt of its fragments on the way."""

    def __init__(self, chunk: ChunkView, topology: Topology, on_fault: OnFault) -> None:
        self.scheme = parse_scheme(chunk.scheme)
        self.payload_bytes = self.scheme.fragment_length_bytes(chunk.size_bytes)
        self._chunk = chunk
        self._topology = topology
        self._on_fault = on_fault
        self._readers: dict[int, _FragmentReader] = {}
        self._errors: dict[int, ChunkError] = {}
        self._late: set[int] = set()
        self._hedging = topology.hedging
        self._reported: set[int] = set()

    def read_piece(self, fragment_index: int, start: int, end: int) -> Piece:
        """Return payload bytes [start, end) of a data fragment, from wherever they can be had."""
        race: Race[Piece] | None = None
        if self._is_promising(fragment_index):
            piece = self._try_at_once(fragment_index, start, end)
            if isinstance(piece, _WouldWait):
                race = Race(self._hedging)
                piece = self._wait_for(fragment_index, start, end, race)
            if piece is not None:
                return piece
        elif not self._is_slow(fragment_index):
            self._report(fragment_index, NodeUnavailable("the node failed just now"))
        return self._gather(fragment_index, start, end, race or Race(self._hedging))

    def _wait_for(self, fragment_index: int, start: int, end: int, race: Race[Piece]) -> Piece | None:
        """Wait for a fragment as long as it is worth while; None if it failed, or if the others shall be asked."""
        node_id = self._chunk.node_ids[fragment_index]
        patience_seconds = self._hedging.patience_seconds(node_id)
        self._ask(fragment_index, start, end, race)
        answer = race.next_answer(patience_seconds)
        if answer is None and not self._hedging.may_race():
            answer = race.next_answer(GIVE_UP_SECONDS - patience_seconds)
        if answer is not None:
            return self._taken(*answer)
        self._late.add(fragment_index)
        if self._hedging.note_late(node_id):
            self._topology.report_slow(node_id)
        return None

    def _gather(self, wanted_index: int, start: int, end: int, race: Race[Piece]) -> Piece:
        """Reconstruct a piece from as many others as it takes; a wanted one that comes in late still wins."""
        needed = self.scheme.data_count
        available: dict[int, Piece] = {}
        waiting = []
        # Those of nodes that failed just now come last, and the wanted one itself may be among them.
        for index in sorted(range(self.scheme.fragment_count), key=lambda index: not self._is_promising(index)):
            if len(available) == needed or wanted_index in available:
                break
            piece = None if index in race.running else self._try_at_once(index, start, end)
            if isinstance(piece, _WouldWait):
                waiting.append(index)
            elif piece is not None:
                available[index] = piece
        for index in waiting[: needed - len(available)]:
            self._ask(index, start, end, race)
        del waiting[: needed - len(available)]
        while len(available) < needed and wanted_index not in available:
            answer = (
                race.next_answer(PATIENCE_SECONDS_MAX if waiting else LAST_RESORT_SECONDS) if race.running else None
            )
            piece = None if answer is None else self._taken(*answer)
            if answer is not None and piece is not None:
                available[answer[0]] = piece
            elif waiting:
                self._ask(waiting.pop(0), start, end, race)
            elif answer is None:
                self._give_up(race)
                raise self._not_enough(available)
        return self._piece_from(available, wanted_index)

    def _piece_from(self, available: Mapping[int, Piece], wanted_index: int) -> Piece:
        if wanted_index in available:
            return available[wanted_index]
        if self.scheme.is_replicated:
            return next(iter(available.values()))
        return reconstruct(self.scheme, available, wanted_index)

    def _give_up(self, race: Race[Piece]) -> None:
        """Say of what has not come in that it will not."""
        for index in race.running:
            self._errors[index] = NodeUnavailable(f"no answer within {LAST_RESORT_SECONDS:g} s")
            self._topology.report_slow(self._chunk.node_ids[index])

    def _not_enough(self, available: Mapping[int, Piece]) -> NotEnoughFragments:
        reasons = "; ".join(f"{index}: {error}" for index, error in sorted(self._errors.items()))
        return NotEnoughFragments(f"chunk {self._chunk.id}: {len(available)} of {self.scheme.data_count} ({reasons})")

    def _is_promising(self, fragment_index: int) -> bool:
        if fragment_index in self._errors or fragment_index in self._late:
            return False
        return self._topology.is_usable_for_reading(self._chunk.node_ids[fragment_index])

    def _is_slow(self, fragment_index: int) -> bool:
        return fragment_index in self._late or self._topology.is_slow(self._chunk.node_ids[fragment_index])

    def _try_at_once(self, fragment_index: int, start: int, end: int) -> "Piece | _WouldWait | None":
        """Read what needs no waiting; None for a fragment that is not well, now or before."""
        if fragment_index in self._errors:
            return None
        try:
            return self._reader(fragment_index).read(start, end, at_once=True)
        except _WouldWait as waiting:
            return waiting
        except (FragmentMissing, FragmentCorrupt, NodeUnavailable) as error:
            self._fail(fragment_index, error)
            return None

    def _ask(self, fragment_index: int, start: int, end: int, race: Race[Piece]) -> None:
        reader = self._reader(fragment_index)
        race.ask(fragment_index, self._chunk.node_ids[fragment_index], lambda: reader.read(start, end))

    def _taken(self, fragment_index: int, answer: Piece | Exception) -> Piece | None:
        """Take an answer; None for a fragment that is not well."""
        if isinstance(answer, FragmentMissing | FragmentCorrupt | NodeUnavailable):
            self._fail(fragment_index, answer)
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _fail(self, fragment_index: int, error: ChunkError) -> None:
        self._errors[fragment_index] = error
        self._report(fragment_index, error)

    def _reader(self, fragment_index: int) -> "_FragmentReader":
        reader = self._readers.get(fragment_index)
        if reader is None:
            reader = self._readers[fragment_index] = _FragmentReader(self._chunk, fragment_index, self._topology)
        return reader

    def _report(self, fragment_index: int, error: ChunkError) -> None:
        if fragment_index not in self._reported:
            self._reported.add(fragment_index)
            node_id = self._chunk.node_ids[fragment_index]
            self._on_fault(FaultRecord(self._chunk.id, fragment_index, node_id, fault_kind(error), str(error)))


class _FragmentReader:
    """Checked reads from one fragment. The header is read once."""

    def __init__(self, chunk: ChunkView, fragment_index: int, topology: Topology) -> None:
        self._chunk = chunk
        self._index = fragment_index
        self._node_id = chunk.node_ids[fragment_index]
        self._topology = topology
        self._name = stored_name(chunk, fragment_index)
        self._starts_at = chunk.segment_offset or 0
        self._scheme = parse_scheme(chunk.scheme)
        self.payload_bytes = self._scheme.fragment_length_bytes(chunk.size_bytes)
        self._header_bytes = header_length_bytes(self.payload_bytes)
        self._header: FragmentHeader | None = None

    def read(self, start: int, end: int, *, at_once: bool = False) -> Piece:
        """Return payload bytes [start, end), after checking the blocks that they lie in.

        At once: only if they are in memory; raises _WouldWait otherwise.
        """
        first_block = start // BLOCK_BYTES
        blocks_start = first_block * BLOCK_BYTES
        blocks_end = min(-(-end // BLOCK_BYTES) * BLOCK_BYTES, self.payload_bytes)
        blocks: Piece
        if self._header is None and blocks_end <= _READ_WITH_HEADER_BYTES:
            data = self._read_exactly(0, self._header_bytes + blocks_end, at_once=at_once)
            self._header = self._checked_header(data)
            blocks = memoryview(data)[self._header_bytes + blocks_start :]
        else:
            if self._header is None:
                self._header = self._checked_header(self._read_exactly(0, self._header_bytes, at_once=at_once))
            blocks = self._read_exactly(self._header_bytes + blocks_start, blocks_end - blocks_start, at_once=at_once)
        check_blocks(self._header, first_block, memoryview(blocks))
        if (start, end) == (blocks_start, blocks_end):
            return blocks
        return memoryview(blocks)[start - blocks_start : end - blocks_start]

    def read_whole(self) -> bytes:
        """Return header and payload, after checking both."""
        data = self._read_exactly(0, self._header_bytes + self.payload_bytes, at_once=False)
        check_blocks(self._checked_header(data), 0, memoryview(data)[self._header_bytes :])
        return bytes(data)

    def _read_exactly(self, offset: int, length: int, *, at_once: bool) -> bytes | bytearray:
        data: bytes | bytearray | None
        try:
            store, start = self._topology.store(self._node_id), self._starts_at + offset
            if at_once:
                data = store.read_at_once(self._name, start, length)
                if data is None:
                    raise _WouldWait
            else:
                data = store.read_range(self._name, start, length)
        except NodeUnavailable:
            self._topology.report_failure(self._node_id)
            raise
        if len(data) != length:
            raise FragmentCorrupt(f"{self._name} ends after {self._starts_at + offset + len(data)} bytes")
        return data

    def _checked_header(self, data: bytes | bytearray) -> FragmentHeader:
        header = parse_header(data)
        found = (header.chunk_id, header.fragment_index, header.scheme, header.chunk_size_bytes)
        index = 0 if self._chunk.is_packed else self._index  # the copies of a segment are the same
        if found != (self._chunk.id, index, self._scheme, self._chunk.size_bytes):
            raise FragmentCorrupt(f"{self._name} says that it is {found}")
        return header


def fragment_size_bytes(chunk: ChunkView) -> int:
    """Return how large each fragment of a chunk is on its node."""
    payload_bytes = parse_scheme(chunk.scheme).fragment_length_bytes(chunk.size_bytes)
    return header_length_bytes(payload_bytes) + payload_bytes


def stored_name(chunk: ChunkView, fragment_index: int) -> str:
    """Return the name of what a node keeps the fragment in: a file of its own, or a segment."""
    if chunk.segment_id is not None:
        return segment_name(chunk.segment_id)
    return fragment_name(chunk.id, fragment_index)


def fault_kind(error: ChunkError) -> FaultKind:
    """Return what a failed read says of the fragment."""
    if isinstance(error, FragmentMissing):
        return FaultKind.MISSING
    if isinstance(error, FragmentCorrupt):
        return FaultKind.CORRUPT
    return FaultKind.UNREACHABLE
