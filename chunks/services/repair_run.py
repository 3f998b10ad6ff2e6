"""A run of the repairer: what holds for all of it, where fragments may go, and what is tried again later."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from chunks.models import FragmentFault
from chunks.placement import find_misplaced, rank_candidates
from chunks.records import FaultKind
from chunks.topology import Topology

WAITING = "waiting for the node to come back"
NO_BETTER_PLACE = "no better place for it is in reach"
_RETRY_SECONDS_FIRST = 10
_RETRY_SECONDS_MAX = 3600


@dataclass(slots=True)
class RepairReport:
    """What became of faults, counted in fragments."""

    rebuilt: int = 0
    found_well: int = 0
    postponed: int = 0


@dataclass(frozen=True, slots=True)
class Repair:
    """What holds for a whole run."""

    topology: Topology
    unreachable_grace_seconds: float
    using: str
    report: RepairReport
    to_repack: dict[UUID, dict[int, FaultKind]] = field(default_factory=dict)  # what is wrong with each, by index


def misplaced(placement_id: UUID, node_ids: Sequence[int], topology: Topology) -> list[int]:
    """Return the indexes of fragments that crowd a node or a zone more than they must."""
    nodes = topology.with_room() or topology.writable
    return find_misplaced(placement_id, node_ids, nodes) if nodes else []


def candidates(
    placement_id: UUID, index: int, kind: FaultKind, node_ids: Sequence[int], topology: Topology
) -> list[int]:
    """Return the nodes that may take a fragment or copy instead of the one that has it now, the best first."""
    home = node_ids[index]
    usable = topology.usable_for_writing()
    others = [*node_ids[:index], *node_ids[index + 1 :]]
    ranked = rank_candidates(placement_id, others, topology.known, usable)
    if kind is FaultKind.MISPLACED:
        moved = [*node_ids[:index], *ranked[:1], *node_ids[index + 1 :]]
        return [] if index in misplaced(placement_id, moved, topology) else ranked[:1]
    if kind is not FaultKind.UNREACHABLE and home in usable:
        return [home, *(node_id for node_id in ranked if node_id != home)]
    return ranked


def postpone(repair: Repair, fault: FragmentFault, kind: FaultKind, error: str) -> None:
    """Try again later, ever less often."""
    delay_seconds = min(_RETRY_SECONDS_FIRST << min(fault.attempts, 16), _RETRY_SECONDS_MAX)
    fault.kind = kind.value
    fault.attempts += 1
    fault.last_error = error
    fault.next_attempt_at = timezone.now() + timedelta(seconds=delay_seconds)
    fault.save(using=repair.using, update_fields=["node_id", "kind", "attempts", "last_error", "next_attempt_at"])
    repair.report.postponed += 1
