"""The duty that moves fragments: empties draining nodes, and brings to nodes that joined what belongs there.

Not for: what is moved where, and how a move survives a crash; that is `chunks.services.relocation`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime

from django.conf import settings

from chunks import services as chunk_services
from chunks import topology as topologies
from chunks.models import Relocation
from chunks.records import MEBIBYTE, NodeState, RelocationKind
from chunks.services import Moved, OldCopies
from chunks.throttle import Throttle
from workers.alone import alone

RELOCATION = "relocate"  # one process at a time moves fragments
WATCH_SECONDS = 1.0

# Writers learn of a node's state when their snapshot of the topology is over, and may then have a body on the way.
SETTLING_SECONDS = 2 * topologies.SNAPSHOT_SECONDS

Report = Callable[[str], None]


def relocate(
    *,
    only: Relocation | None = None,
    fragments_max: int | None = None,
    mib_per_second: float | None = None,
    seconds_max: float = float("inf"),
    old_copy_seconds: float | None = None,
    report: Report = lambda _: None,
) -> Moved:
    """Work off all relocations under way (or one) until they are done, stuck, ended by people, or time is up."""
    if mib_per_second is None:
        mib_per_second = settings.OBJSTORE_MOVE_MIB_PER_SECOND
    old_copies = OldCopies(topologies.refresh())
    if old_copy_seconds is not None:
        old_copies.delay_seconds = old_copy_seconds
    run = _Run(old_copies, Throttle(mib_per_second * MEBIBYTE), int(mib_per_second * MEBIBYTE) or 128 * MEBIBYTE)
    run.until, run.fragments_max, run.report = time.monotonic() + seconds_max, fragments_max, report
    if only is None:
        chunk_services.begin_drains()
    try:
        for relocation in [only] if only else Relocation.objects.filter(finished_at=None).order_by("pk"):
            run.work_off(relocation)
    finally:
        old_copies.delete_all()
    return run.total


class _Run:
    """One run of the duty, and what it has done so far."""

    def __init__(self, old_copies: OldCopies, throttle: Throttle, batch_bytes: int) -> None:
        self.old_copies = old_copies
        self.throttle = throttle
        self.batch_bytes = batch_bytes
        self.until = float("inf")
        self.fragments_max: int | None = None
        self.report: Report = lambda _: None
        self.total = Moved()

    def work_off(self, relocation: Relocation) -> None:
        moved_in_pass = 0
        while time.monotonic() < self.until:
            topology = topologies.current()
            if relocation.finished_at is not None or self._is_pointless(relocation, topology):
                break
            moved = chunk_services.advance_relocation(
                relocation, topology=topology, old_copies=self.old_copies, bytes_max=self.batch_bytes
            )
            self.total = Moved(*(getattr(self.total, one.name) + getattr(moved, one.name) for one in fields(Moved)))
            moved_in_pass += moved.fragments
            self.report(describe(relocation))
            self.throttle.spend(2 * moved.size_bytes)  # read once and written once
            if self.fragments_max is not None and self.total.fragments >= self.fragments_max:
                chunk_services.end_relocation(relocation, "the limit is reached")
            elif moved.is_at_end and not self._ends(relocation, moved_in_pass):
                moved_in_pass = 0
            elif moved.is_at_end:
                break

    def _is_pointless(self, relocation: Relocation, topology: topologies.Topology) -> bool:
        node = topology.nodes.get(relocation.node_id or 0)
        if relocation.kind == RelocationKind.DRAIN and (node is None or node.state is not NodeState.DRAINING):
            chunk_services.end_relocation(relocation, "the node is not draining any more")
            return True
        return False

    def _ends(self, relocation: Relocation, moved_in_pass: int) -> bool:
        """Decide what follows the end of a walk; say whether this run has nothing more to do."""
        if relocation.kind == RelocationKind.REBALANCE:
            stay = f", {relocation.failed_fragments} could not be moved" if relocation.failed_fragments else ""
            chunk_services.end_relocation(relocation, f"done{stay}")
            return True
        assert relocation.node_id is not None
        if chunk_services.is_on_node(relocation.node_id):
            chunk_services.begin_again(relocation)
            return not moved_in_pass  # stuck for now: the next run tries again
        if (datetime.now(UTC) - relocation.started_at).total_seconds() < SETTLING_SECONDS:
            time.sleep(WATCH_SECONDS)
            chunk_services.begin_again(relocation)
            return False
        chunk_services.end_relocation(relocation, "done: the node is empty")
        return True


def follow(relocation: Relocation, *, report: Report, **arguments: float | None) -> Relocation:
    """Work a relocation off, or watch another process do it, until it is finished. Stopped, workers go on with it."""
    for _ in _until_finished(relocation):
        with alone(RELOCATION) as is_ours:
            if is_ours:
                relocate(only=relocation, report=report, **arguments)  # type: ignore[arg-type]
        relocation.refresh_from_db()
        if relocation.finished_at is None:
            report(describe(relocation))
            time.sleep(WATCH_SECONDS)
    return relocation


def _until_finished(relocation: Relocation) -> Iterator[None]:
    while relocation.finished_at is None:
        yield


def describe(relocation: Relocation) -> str:
    """Say in a line how far it has come."""
    return (
        f"{relocation.examined_chunks:,} chunks looked at, {relocation.moved_fragments:,} fragments moved "
        f"({relocation.moved_bytes / MEBIBYTE:,.0f} MiB), {relocation.failed_fragments:,} not yet"
    )
