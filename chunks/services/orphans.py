"""Find fragments that no chunk knows, and delete them.

They come from writers that were killed before they published, from repairs that were killed before they cleaned up,
and from nodes that were away while a chunk was deleted or moved. A fragment exists before the row that refers to it,
so nothing younger than the grace period is touched; it must be longer than the longest request. Should a clock lie about
that, the upload is refused: see `chunks.services.condemning`.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from chunks import topology as topologies
from chunks.errors import NodeUnavailable
from chunks.fragment_format import parse_fragment_name, parse_segment_name
from chunks.models import Chunk, Segment
from chunks.services.condemning import condemn, forget_condemned
from chunks.stores.protocol import FragmentStore, StoredFragment
from chunks.topology import Topology

BATCH_SIZE = 1000


logger = logging.getLogger("objstore.chunks")


@dataclass(slots=True)
class SweepReport:
    """What a sweep saw and did. Deleted are fragments that no chunk names, and writes that a crash ended."""

    seen: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    unreachable_nodes: int = 0


@dataclass(frozen=True, slots=True)
class _Sweep:
    """What holds for a whole sweep of one node."""

    node_id: int
    store: FragmentStore
    written_before: datetime
    databases: Sequence[str]
    may_delete: Callable[[], bool]
    report: SweepReport


def sweep_orphans(
    *,
    grace_seconds: float,
    now: datetime | None = None,
    part: int = 0,
    part_count: int = 1,
    databases: Sequence[str] = (DEFAULT_DB_ALIAS,),
    may_delete: Callable[[], bool] = lambda: True,
    topology: Topology | None = None,
) -> SweepReport:
    """Compare what each node keeps with the chunks of all `databases`, and delete what is old and unknown.

    `may_delete` is asked once rows are seen to be gone, and says whether every backup knows of that; else they stay.

    `part` of `part_count` restricts it to that share of every node. One query for each thousand old fragments.
    """
    topology = topology or topologies.current()
    written_before = (now or timezone.now()) - timedelta(seconds=grace_seconds)
    report = SweepReport()
    for node in topology.nodes.values():
        try:
            sweep = _Sweep(node.id, topology.store(node.id), written_before, databases, may_delete, report)
            for shard in range(part, sweep.store.shard_count, part_count):
                _sweep_shard(sweep, shard)
        except NodeUnavailable as error:
            logger.warning("orphans on %s are left for another time: %s", node.name, error)
            report.unreachable_nodes += 1
    for database in databases:
        forget_condemned(using=database)
    return report


def _sweep_shard(sweep: _Sweep, shard: int) -> None:
    listing = sweep.store.list_shard(shard)
    while batch := list(islice(listing, BATCH_SIZE)):
        sweep.report.seen += len(batch)
        old = [found for found in batch if found.modified_at < sweep.written_before]
        for found in old:
            if found.is_unfinished:
                _delete(sweep, found)
        orphans = list(find_orphans(old, node_id=sweep.node_id, databases=sweep.databases))
        if orphans and sweep.may_delete() and _condemn(sweep, {chunk_id for _, chunk_id, _ in orphans}):
            for orphan in orphans:
                _delete_orphan(sweep, *orphan)
        segments = list(find_orphan_segments(old, node_id=sweep.node_id, databases=sweep.databases))
        for found, segment_id in segments if segments and sweep.may_delete() else ():
            _delete_orphan_segment(sweep, found, segment_id)


def _condemn(sweep: _Sweep, chunk_ids: set[UUID]) -> bool:
    """See to it that chunks without a row never get one. One statement or two for each database, and a short wait."""
    for database in sweep.databases:
        chunk_ids -= set(Chunk.objects.using(database).filter(pk__in=chunk_ids).values_list("id", flat=True))
    return all(condemn(chunk_ids, using=database) for database in sweep.databases)


def find_orphans(
    kept: Iterable[StoredFragment], *, node_id: int, databases: Sequence[str] = (DEFAULT_DB_ALIAS,)
) -> Iterator[tuple[StoredFragment, UUID, int]]:
    """Yield what is named as a fragment and is not where its chunk says, with the chunk's id and the fragment's index.

    One query for each of `databases`.
    """
    named = [(found, *parsed) for found in kept if (parsed := parse_fragment_name(found.name)) is not None]
    chunk_ids = {chunk_id for _, chunk_id, _ in named}
    known: dict[UUID, Sequence[int]] = {}
    if chunk_ids:
        for database in databases:
            chunks = Chunk.objects.using(database).filter(pk__in=chunk_ids, segment_id=None)
            known.update(chunks.values_list("id", "node_ids"))
    for found, chunk_id, fragment_index in named:
        if not _is_held(known.get(chunk_id, ()), fragment_index, node_id):
            yield found, chunk_id, fragment_index


def find_orphan_segments(
    kept: Iterable[StoredFragment], *, node_id: int, databases: Sequence[str] = (DEFAULT_DB_ALIAS,)
) -> Iterator[tuple[StoredFragment, UUID]]:
    """Yield copies of segments whose rows do not name this node, with their ids. One query for each of `databases`."""
    named = [(found, parsed) for found in kept if (parsed := parse_segment_name(found.name)) is not None]
    known: set[UUID] = set()
    if named:
        ids = {segment_id for _, segment_id in named}
        for database in databases:
            segments = Segment.objects.using(database).filter(pk__in=ids, node_ids__contains=[node_id])
            known.update(segments.values_list("id", flat=True))
    yield from ((found, segment_id) for found, segment_id in named if segment_id not in known)


def _delete_orphan_segment(sweep: _Sweep, found: StoredFragment, segment_id: UUID) -> None:
    """Delete a copy, unless it is being put to use: whoever writes one keeps the segment's row locked until it says so."""
    for database in sweep.databases:
        with transaction.atomic(using=database):
            segments = Segment.objects.using(database).filter(pk=segment_id)
            segment = segments.select_for_update(skip_locked=True, no_key=True).first()
            if segment is not None and sweep.node_id not in segment.node_ids:
                _delete(sweep, found)
            if segment is not None or segments.exists():
                return
    _delete(sweep, found)


def _delete_orphan(sweep: _Sweep, found: StoredFragment, chunk_id: UUID, fragment_index: int) -> None:
    """Delete it, unless a repair has put it to use meanwhile.

    The repairer keeps the chunk's row locked from before it writes a fragment until the row says so. Whoever gets the
    lock sees either that, or a fragment that nobody is about to use.
    """
    for database in sweep.databases:
        with transaction.atomic(using=database):
            chunks = Chunk.objects.using(database).filter(pk=chunk_id)
            chunk = chunks.select_for_update(skip_locked=True, no_key=True).first()
            if chunk is not None and (
                chunk.segment_id is not None or not _is_held(chunk.node_ids, fragment_index, sweep.node_id)
            ):
                _delete(sweep, found)
            if chunk is not None or chunks.exists():
                return
    _delete(sweep, found)


def _delete(sweep: _Sweep, found: StoredFragment) -> None:
    if sweep.store.delete_fragment(found.name):
        sweep.report.deleted += 1
        sweep.report.deleted_bytes += found.size_bytes


def _is_held(node_ids: Sequence[int], fragment_index: int, node_id: int) -> bool:
    return fragment_index < len(node_ids) and node_ids[fragment_index] == node_id
