"""Records that are not needed any more go; those that are short of a copy get it."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from django.conf import settings

from chunks.errors import ChunkError
from chunks.throttle import Throttle
from chunks.topology import Topology
from journal.archive import (
    Found,
    NotKept,
    drop_records,
    find_records,
    keep_record,
    read_whole,
    stores_in_reach,
    stores_of,
)
from journal.models import JournalState
from journal.record_format import RecordDamaged, RecordKind, RecordName, parse_record
from journal.services.backups import find_backups
from journal.services.state import forget_predecessors

SNAPSHOT_RANDOM_BITS = 16

logger = logging.getLogger("objstore.journal")


def prune(state: JournalState, *, first_segment: int, topology: Topology) -> int:
    """Delete what the newest snapshot replaces, of this lineage and its predecessors; return how many records went.

    Records of other lineages stay: a database that was begun anew on old nodes must not delete what the old one can be
    restored from.
    """
    found = find_records(stores_of(topology))
    ours, before = state.lineage.hex[:8], {lineage.hex[:8] for lineage in state.predecessors}
    obsolete = [
        name
        for name in found.holders
        if name.lineage in before
        or (name.lineage == ours and not _is_needed(name, state.snapshot_number, first_segment))
    ]
    drop_records(obsolete, topology=topology)
    if before and not found.unreachable:
        forget_predecessors()
    return len(obsolete)


def _is_needed(name: RecordName, snapshot_number: int, first_segment: int) -> bool:
    if name.kind is RecordKind.SEGMENT:
        return name.number >= first_segment
    return name.number >= snapshot_number


def next_snapshot_number(state: JournalState, topology: Topology) -> int:
    """Return a number above that of every snapshot, unfinished ones included, that no other writer can draw."""
    found = find_records(stores_of(topology))
    known = [
        name.number
        for name in found.holders
        if name.lineage == state.lineage.hex[:8] and name.kind is not RecordKind.SEGMENT
    ]
    count = max([state.snapshot_number, *known]) >> SNAPSHOT_RANDOM_BITS
    return (count + 1) << SNAPSHOT_RANDOM_BITS | secrets.randbits(SNAPSHOT_RANDOM_BITS)


def heal(state: JournalState, *, topology: Topology, copies: int | None = None, reading: Throttle | None = None) -> int:
    """Copy records that fewer nodes hold than should; return how many were short.

    With a rate for `reading`, all copies are read first, and those that are damaged count as none.
    """
    copies = settings.OBJSTORE_JOURNAL_COPIES if copies is None else copies
    found = find_records(stores_in_reach(topology))
    writable = {node.name for node in topology.nodes.values() if node.state.is_writable}
    wanted = min(copies, len(writable))
    ours = [name for name in newest_revisions(found.holders) if name.lineage == state.lineage.hex[:8]]
    if reading is not None:
        for name in ours:
            _drop_damaged(name, found, topology, reading)
    short = [name for name in ours if len(writable.intersection(found.holders[name])) < wanted]
    for name in short:
        _copy(name, found, topology, wanted)
    return len(short)


def has_whole_snapshot(state: JournalState, *, topology: Topology) -> bool:
    """Tell whether the newest snapshot is on nodes in reach, as far as listings tell; yes where none has been taken yet."""
    if state.snapshot_lsn is None:
        return True
    stores = stores_in_reach(topology)
    ours = (one for one in find_backups(stores, find_records(stores)) if one.lineage == state.lineage.hex[:8])
    return any(one.manifest["snapshot"] >= state.snapshot_number for one in ours)


def _drop_damaged(name: RecordName, found: Found, topology: Topology, reading: Throttle) -> None:
    """Delete the copies of a record that are damaged, where one is not."""
    ids = {node.name: node.id for node in topology.nodes.values()}
    damaged, intact = [], 0
    for label in found.holders[name]:
        try:
            data = read_whole(str(name), topology.store(ids[label]))
            reading.spend(len(data))
            parse_record(data)
            intact += 1
        except RecordDamaged as error:
            logger.warning("%s on %s is damaged: %s", name, label, error)
            damaged.append(label)
        except ChunkError:
            continue  # out of reach, or replaced meanwhile
    if intact and damaged:
        drop_records([name], topology=topology, node_ids=[ids[label] for label in damaged])
        found.holders[name] = [label for label in found.holders[name] if label not in damaged]


def newest_revisions(names: Iterable[RecordName]) -> list[RecordName]:
    """Return the names without segments that a later revision replaces."""
    newest: dict[tuple[str, int, int], RecordName] = {}
    others = []
    for name in names:
        if name.kind is not RecordKind.SEGMENT:
            others.append(name)
        else:
            run = (name.lineage, name.number, name.session)
            newest[run] = max(name, newest.get(run, name))
    return [*others, *newest.values()]


def _copy(name: RecordName, found: Found, topology: Topology, wanted: int) -> None:
    ids = {node.name: node.id for node in topology.nodes.values()}
    holders = [label for label in found.holders[name] if topology.nodes[ids[label]].state.is_writable]
    for label in found.holders[name]:
        try:
            data = read_whole(str(name), topology.store(ids[label]))
            parse_record(data)
        except (ChunkError, RecordDamaged) as error:
            logger.warning("%s on %s cannot be copied: %s", name, label, error)
            continue
        missing = wanted - len(holders)
        try:
            keep_record(name, [data], topology=topology, copies=missing, avoid=[ids[one] for one in holders])
        except NotKept as error:
            logger.warning("%s", error)
        return
