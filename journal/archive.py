"""Records on nodes: kept on several, found by listing, read from whichever copy is intact.

Not for: what records hold. Knows no database; the topology is an argument, and so are the stores of a restore.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from chunks.errors import ChunkError, NodeUnavailable, NoSpace
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import FragmentStore
from chunks.topology import NodeEntry, Topology
from journal.record_format import LISTING_SHARD, Record, RecordDamaged, RecordName, parse_name, parse_record

# Fewer copies than asked for are better than a journal that stands still, but one alone is none.
COPIES_MIN = 2

logger = logging.getLogger("objstore.journal")


class NotKept(Exception):
    """Too few nodes took a record."""


def keep_record(
    name: RecordName, buffers: Sequence[bytes], *, topology: Topology, copies: int, avoid: Iterable[int] = ()
) -> list[int]:
    """Keep a record durably on `copies` nodes of as many zones as there are; return the nodes. NotKept.

    The same nodes each time, as long as they answer: what is lost with any three nodes is all, or nothing. A nearly full
    node takes records when no other does; they are small, and nothing is deleted before they are kept.
    """
    kept: list[int] = []
    candidates = [node for node in _in_order(topology, name.lineage) if node.id not in set(avoid)]
    for node in candidates:
        if len(kept) == copies:
            break
        try:
            topology.store(node.id).write_fragment(str(name), buffers)
            kept.append(node.id)
        except NoSpace as error:
            topology.report_full(node.id)
            logger.warning("%s takes no record of the journal: %s", node.name, error)
        except ChunkError as error:
            topology.report_failure(node.id)
            logger.warning("%s takes no record of the journal: %s", node.name, error)
    wanted = min(COPIES_MIN, copies, len([node for node in topology.nodes.values() if node.state.is_writable]))
    if len(kept) < max(1, wanted):
        raise NotKept(f"{name} is on {len(kept)} nodes, of the {copies} that it should be on")
    return kept


def _in_order(topology: Topology, lineage: str) -> list[NodeEntry]:
    """Return the nodes to try: those that are well first, of each zone one before a second of any."""
    usable = topology.usable_for_writing()
    writable = [node for node in topology.nodes.values() if node.state.is_writable]
    ranked = sorted(writable, key=lambda node: sha256(f"{lineage}/{node.identity}".encode()).digest())
    zones: dict[int, int] = defaultdict(int)
    turns: list[tuple[bool, int, int, NodeEntry]] = []
    for node in sorted(ranked, key=lambda node: node.id not in usable):  # stable
        turns.append((node.id not in usable, zones[node.zone_id], len(turns), node))
        zones[node.zone_id] += 1
    return [turn[3] for turn in sorted(turns, key=lambda turn: turn[:3])]


def drop_records(names: Iterable[RecordName], *, topology: Topology, node_ids: Iterable[int] | None = None) -> None:
    """Delete records wherever they are, or from these nodes; what is out of reach is found by a later listing."""
    texts = [str(name) for name in names]
    for node_id in topology.nodes if node_ids is None else node_ids:
        try:
            store = topology.store(node_id)
            for text in texts:
                store.delete_fragment(text)
        except ChunkError as error:
            logger.info("node %d keeps records of the journal that are not needed: %s", node_id, error)


@dataclass(slots=True)
class Found:
    """Records and which stores have them, by the stores' labels."""

    holders: dict[RecordName, list[str]] = field(default_factory=lambda: defaultdict(list))
    size_bytes: dict[RecordName, int] = field(default_factory=dict)
    unreachable: dict[str, str] = field(default_factory=dict)


def find_records(stores: Mapping[str, Callable[[], FragmentStore]], *, is_thorough: bool = False) -> Found:
    """List the records that stores keep. Thorough: look in all parts of their listings, not only where they belong."""
    found = Found()
    for label, open_store in stores.items():
        try:
            for name, size_bytes in _list(open_store(), is_thorough=is_thorough):
                found.holders[name].append(label)
                found.size_bytes[name] = size_bytes
        except ChunkError as error:
            found.unreachable[label] = str(error)
    return found


def _list(store: FragmentStore, *, is_thorough: bool) -> Iterator[tuple[RecordName, int]]:
    for shard in range(store.shard_count) if is_thorough else (LISTING_SHARD,):
        for kept in store.list_shard(shard):
            name = parse_name(kept.name)
            if name is not None:
                yield name, kept.size_bytes


def stores_of(topology: Topology) -> dict[str, Callable[[], FragmentStore]]:
    """Return how to open the store of each readable node, by the node's name."""
    return {
        node.name: (lambda node_id=node.id: topology.store(node_id))  # type: ignore[misc]
        for node in topology.nodes.values()
        if node.state.is_readable
    }


def stores_in_reach(topology: Topology) -> dict[str, Callable[[], FragmentStore]]:
    """Return those of them that the last probe reached: a handle may still read what was moved away since."""
    away = {node.name for node in topology.nodes.values() if topology.is_out_of_reach(node.id)}
    return {name: open_store for name, open_store in stores_of(topology).items() if name not in away}


def local_stores(directory: Path) -> dict[str, Callable[[], FragmentStore]]:
    """Return the stores that lie in a directory, each a directory that bears an identity."""
    return {str(path.parent): local_store(path.parent) for path in sorted(directory.glob("*/identity"))}


def local_store(directory: Path) -> Callable[[], FragmentStore]:
    """Return how to open a store of which nothing is known but where it is; NodeUnavailable if it bears no identity."""

    def open_it() -> FragmentStore:
        try:
            return LocalDisk(directory, UUID((directory / "identity").read_text().strip()))
        except (OSError, ValueError) as error:
            raise NodeUnavailable(f"{directory}: no identity: {error}") from error

    return open_it


def read_record(name: RecordName, labels: Sequence[str], stores: Mapping[str, Callable[[], FragmentStore]]) -> Record:
    """Return a record from the first copy that is intact; RecordDamaged if there is none."""
    reasons = []
    for label in labels:
        try:
            return parse_record(read_whole(str(name), stores[label]()))
        except (RecordDamaged, ChunkError) as error:
            reasons.append(f"{label}: {error}")
            logger.warning("%s on %s cannot be used: %s", name, label, error)
    raise RecordDamaged(f"no copy of {name} is intact ({'; '.join(reasons) or 'there is none'})")


def read_whole(name: str, store: FragmentStore) -> bytes:
    """Return all bytes of what a store keeps under a name."""
    found = store.stat_fragment(name)
    if found is None:
        raise NodeUnavailable(f"{name} is gone")
    return store.read_range(name, 0, found.size_bytes)
