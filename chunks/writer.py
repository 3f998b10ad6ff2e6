"""Write a chunk: durable fragments on nodes first; the caller's rows come after.

Nothing here writes to the database. A chunk that is written and gets no row, because the caller failed or was killed,
is found by the sweep of orphans after a grace period.

When a write counts. Every fragment goes to its proper node, and a fragment whose node fails goes to the next in
hand-off order until no node is left to try. Nodes that are nearly full are not tried. The write is acknowledged if at least data_count + ceil(parity_count / 2)
fragments are durable: it can lose some and still be read. Fragments share nodes rather than refuse the write, but before
a chunk is left at the mercy of a single node, nodes that failed just now are asked once more.

What is missing or crowded then is reported as faults, for the caller to publish in the same transaction as the chunk.
Otherwise what was written is removed and the write fails: NoSpace if only full nodes stood in the way, NotEnoughNodes
if not.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from chunks import topology as topologies
from chunks.erasure import Buffer, Scheme, encode, parse_scheme
from chunks.errors import ChunkError, NodeUnavailable, NoSpace, NotEnoughNodes
from chunks.fan_out import Lane
from chunks.fragment_format import build_header, checksum_of, fragment_name
from chunks.ids import new_chunk_id
from chunks.open_segment import PackedFragment
from chunks.packing import Packer
from chunks.placement import find_misplaced, place_fragments, rank_candidates
from chunks.records import DEFAULT_STORAGE_CLASS, FaultKind, FaultRecord, WrittenChunk, signed
from chunks.topology import Topology

SMALL_FRAGMENT_BYTES = 64 * 1024

_large_writes = Lane(24)


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """A chunk ready to be stored: `buffers[i]` make up fragment i, header first. They refer to the chunk's memory."""

    id: UUID
    scheme: Scheme
    size_bytes: int
    checksum: int  # unsigned
    buffers: Sequence[Sequence[Buffer]]


def chunk_size_bytes(storage_class: str = DEFAULT_STORAGE_CLASS, *, topology: Topology | None = None) -> int:
    """Return the size of the chunks that an object of this class is cut into. UnknownStorageClass."""
    return (topology or topologies.current()).storage_class(storage_class).chunk_size_bytes


def write_chunk(
    data: Buffer,
    *,
    storage_class: str = DEFAULT_STORAGE_CLASS,
    chunk_id: UUID | None = None,
    topology: Topology | None = None,
    packer: Packer | None = None,
) -> WrittenChunk:
    """Store `data` durably as one chunk and return the values of its rows.

    The scheme follows from the storage class and the chunk's own size. With a `packer`, what is small goes into a
    segment, together with what other threads write at the same time. Needs no more memory than the parity and, for
    sizes that don't divide evenly, one copied fragment. NoSpace, NotEnoughNodes, UnknownStorageClass.
    """
    topology = (topology or topologies.current()).for_class(storage_class)
    view = memoryview(data).cast("B")
    scheme = parse_scheme(topology.storage_class(storage_class).scheme_for(len(view)))
    chunk_id = chunk_id or new_chunk_id()
    if packer is not None and packer.takes(scheme, len(view)):
        written = _pack(view, chunk_id, scheme, storage_class=storage_class, topology=topology, packer=packer)
        if written is not None:
            return written
    chunk = encode_chunk(chunk_id, scheme, view)
    node_ids, missing = _store(chunk, topology)
    faults = [FaultRecord(chunk.id, index, node_ids[index], FaultKind.MISSING) for index in missing]
    faults += [
        FaultRecord(chunk.id, index, node_ids[index], FaultKind.MISPLACED)
        for index in find_misplaced(chunk.id, node_ids, topology.with_room() or topology.writable)
        if index not in missing
    ]
    return WrittenChunk(
        id=chunk.id,
        size_bytes=chunk.size_bytes,
        scheme=str(scheme),
        node_ids=node_ids,
        checksum=signed(chunk.checksum),
        storage_class=storage_class,
        faults=tuple(faults),
    )


def _pack(
    view: memoryview, chunk_id: UUID, scheme: Scheme, *, storage_class: str, topology: Topology, packer: Packer
) -> WrittenChunk | None:
    """Store a chunk in a segment; None where none can be appended to."""
    checksum = checksum_of(view)
    fragment = packed_fragment(chunk_id, scheme, view, checksum)
    packed = packer.pack([fragment], storage_class=storage_class, scheme=scheme, topology=topology)
    if packed is None:
        return None
    return WrittenChunk(
        id=chunk_id,
        size_bytes=len(view),
        scheme=str(scheme),
        node_ids=packed.node_ids,
        checksum=signed(checksum),
        storage_class=storage_class,
        faults=tuple(
            FaultRecord(chunk_id, index, packed.node_ids[index], FaultKind.MISPLACED) for index in packed.misplaced
        ),
        segment_id=packed.segment_id,
        segment_offset=packed.offsets[0],
    )


def packed_fragment(chunk_id: UUID, scheme: Scheme, view: memoryview, checksum: int) -> PackedFragment:
    """Return the fragment of a replicated chunk as segments hold it; `checksum` is unsigned."""
    header = build_header(
        view, chunk_id=chunk_id, fragment_index=0, scheme=scheme, chunk_size_bytes=len(view), chunk_checksum=checksum
    )
    return PackedFragment(chunk_id, (header, view), len(header) + len(view))


def encode_chunk(chunk_id: UUID, scheme: Scheme, view: memoryview) -> EncodedChunk:
    """Return all fragments of a chunk with their headers."""
    checksum = checksum_of(view)
    buffers = [
        (
            build_header(
                payload,
                chunk_id=chunk_id,
                fragment_index=index,
                scheme=scheme,
                chunk_size_bytes=len(view),
                chunk_checksum=checksum,
            ),
            payload,
        )
        for index, payload in enumerate(encode(scheme, view))
    ]
    return EncodedChunk(chunk_id, scheme, len(view), checksum, buffers)


def write_fragment(chunk: EncodedChunk, fragment_index: int, node_id: int, topology: Topology) -> None:
    """Store one fragment on one node. A node that fails or is full is set aside before the error is raised."""
    with _setting_aside(node_id, topology):
        topology.store(node_id).write_fragment(fragment_name(chunk.id, fragment_index), chunk.buffers[fragment_index])


@contextmanager
def _setting_aside(node_id: int, topology: Topology) -> Iterator[None]:
    """Set a node aside that turns out to have failed or to be full."""
    try:
        yield
    except NoSpace:
        topology.report_full(node_id)
        raise
    except NodeUnavailable:
        topology.report_failure(node_id)
        raise


def _store(chunk: EncodedChunk, topology: Topology) -> tuple[tuple[int, ...], Collection[int]]:
    """Store all fragments; return the node of each, and the indexes of those that no node took."""
    if not topology.writable:
        raise NotEnoughNodes("no node is active")
    # Home is among all nodes that are known: a node that is gone for a while must not reshuffle what is written.
    proper = place_fragments(chunk.id, chunk.scheme.fragment_count, topology.known)
    everyone = {node.id for node in topology.with_room()}
    if not everyone:
        raise NoSpace("every active node is nearly full")
    healthy = topology.usable_for_writing()
    holders, errors = _try_nodes(chunk, proper, healthy, topology)
    if healthy != everyone and not (_is_durable(chunk.scheme, holders) and _outlives_a_node(chunk.scheme, holders)):
        # Nodes that failed just now are asked only if the write can't be done well without them.
        _remove(chunk, holders, topology)
        holders, errors = _try_nodes(chunk, proper, everyone, topology)
    is_full = all(isinstance(error, NoSpace) for error in errors) and (
        bool(errors) or len(everyone) < len(topology.writable)
    )
    # Nodes that are full stay so: a chunk that is at the mercy of one node now would be so for long.
    if _is_durable(chunk.scheme, holders) and not (is_full and not _outlives_a_node(chunk.scheme, holders)):
        node_ids = tuple(proper[index] if holder is None else holder for index, holder in enumerate(holders))
        return node_ids, {index for index, holder in enumerate(holders) if holder is None}
    _remove(chunk, holders, topology)
    if is_full:
        raise NoSpace("too few nodes have room for the chunk") from next(iter(errors), None)
    raise NotEnoughNodes(f"of {len(everyone)} active nodes too few took a fragment") from next(iter(errors), None)


def _try_nodes(
    chunk: EncodedChunk, proper: Sequence[int], usable: Collection[int], topology: Topology
) -> tuple[list[int | None], list[ChunkError]]:
    """Write each fragment to its proper node or, round by round, to the next in hand-off order."""
    left = set(usable)
    holders: list[int | None] = [None] * len(proper)
    errors: list[ChunkError] = []
    is_small = chunk.scheme.fragment_length_bytes(chunk.size_bytes) <= SMALL_FRAGMENT_BYTES
    write_planned = _write_in_turn if is_small else _write_at_once
    while left and None in holders:
        plan = _plan(chunk.id, proper, holders, left, topology)
        for (index, node_id), error in zip(plan.items(), write_planned(chunk, plan, topology), strict=True):
            if error is None:
                holders[index] = node_id
            else:
                errors.append(error)
                left.discard(node_id)
    return holders, errors


def _plan(
    chunk_id: UUID, proper: Sequence[int], holders: Sequence[int | None], usable: Collection[int], topology: Topology
) -> dict[int, int]:
    """Return a usable node for each fragment that has none yet."""
    plan = {index: proper[index] for index, holder in enumerate(holders) if holder is None and proper[index] in usable}
    for index, holder in enumerate(holders):
        if holder is None and index not in plan:
            others = [*(other for other in holders if other is not None), *plan.values()]
            plan[index] = rank_candidates(chunk_id, others, topology.known, usable)[0]
    return plan


def _write_at_once(chunk: EncodedChunk, plan: Mapping[int, int], topology: Topology) -> list[ChunkError | None]:
    """Write large fragments in as many threads."""
    return _large_writes.run_all(
        [partial(_write_or_explain, chunk, index, node_id, topology) for index, node_id in plan.items()]
    )


def _write_in_turn(chunk: EncodedChunk, plan: Mapping[int, int], topology: Topology) -> list[ChunkError | None]:
    """Write small fragments in this thread: first all of them, then the waits for the disks, which overlap so.

    Handing a small write to another thread costs as much processor time as the write.
    """
    staged = [_stage_or_explain(chunk, index, node_id, topology) for index, node_id in plan.items()]
    return [
        step if isinstance(step, ChunkError) else _commit_or_explain(step, node_id, topology)
        for step, node_id in zip(staged, plan.values(), strict=True)
    ]


def _stage_or_explain(
    chunk: EncodedChunk, index: int, node_id: int, topology: Topology
) -> Callable[[], None] | ChunkError:
    try:
        with _setting_aside(node_id, topology):
            return topology.store(node_id).stage_fragment(fragment_name(chunk.id, index), chunk.buffers[index])
    except (NodeUnavailable, NoSpace) as error:
        return error


def _commit_or_explain(commit: Callable[[], None], node_id: int, topology: Topology) -> ChunkError | None:
    try:
        with _setting_aside(node_id, topology):
            commit()
    except (NodeUnavailable, NoSpace) as error:
        return error
    return None


def _write_or_explain(chunk: EncodedChunk, index: int, node_id: int, topology: Topology) -> ChunkError | None:
    try:
        write_fragment(chunk, index, node_id, topology)
    except (NodeUnavailable, NoSpace) as error:
        return error
    return None


def _is_durable(scheme: Scheme, holders: Sequence[int | None]) -> bool:
    """Say whether enough fragments are stored to acknowledge the write."""
    stored = sum(holder is not None for holder in holders)
    return stored >= scheme.data_count + (scheme.parity_count + 1) // 2


def _outlives_a_node(scheme: Scheme, holders: Sequence[int | None]) -> bool:
    """Say whether the chunk can be read without any one of its nodes."""
    loads = Counter(holder for holder in holders if holder is not None)
    return loads.total() - max(loads.values(), default=0) >= scheme.data_count


def _remove(chunk: EncodedChunk, holders: Sequence[int | None], topology: Topology) -> None:
    for index, node_id in enumerate(holders):
        if node_id is not None:
            with suppress(ChunkError):  # what can't be removed now is an orphan, and swept
                topology.store(node_id).delete_fragment(fragment_name(chunk.id, index))
