"""What the admin's first page says about the whole store: live, exact where it can be, each one cheap statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from buckets.models import Bucket
from chunks.models import FragmentFault, Garbage, Node
from chunks.records import GarbageState, NodeState
from objects.models import BucketUsage, MultipartUpload
from objects.selectors.usage import Usage

COUNTED_MAX = 100_000


@dataclass(frozen=True, slots=True)
class CappedCount:
    """A count that stops at COUNTED_MAX, so that it never scans a large table."""

    number: int

    def __str__(self) -> str:
        return f"{COUNTED_MAX:,}+" if self.number > COUNTED_MAX else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """How many nodes of a zone are in which state."""

    name: str
    counts: dict[NodeState, int]

    @property
    def total(self) -> int:
        """Return the number of the zone's nodes."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """The store at a glance."""

    bucket_count: int
    usage: Usage
    zones: tuple[ZoneFacts, ...]
    faults: CappedCount
    garbage_questions: CappedCount
    garbage_unlinks: CappedCount
    uploads: CappedCount

    @property
    def node_count(self) -> int:
        """Return the number of all nodes."""
        return sum(zone.total for zone in self.zones)

    @property
    def active_node_count(self) -> int:
        """Return the number of nodes that take new fragments."""
        return sum(zone.counts.get(NodeState.ACTIVE, 0) for zone in self.zones)


def count_capped(rows: QuerySet[Any]) -> CappedCount:
    """Count rows, but no further than it takes to know that there are more than COUNTED_MAX. One statement."""
    return CappedCount(rows.order_by().values("pk")[: COUNTED_MAX + 1].count())


def find_store_facts() -> StoreFacts:
    """Return the facts. Seven statements."""
    return StoreFacts(
        bucket_count=Bucket.objects.count(),
        usage=_total_usage(),
        zones=_zones(),
        faults=count_capped(FragmentFault.objects.all()),
        garbage_questions=count_capped(Garbage.objects.filter(state=GarbageState.QUESTION.value)),
        garbage_unlinks=count_capped(Garbage.objects.filter(state=GarbageState.UNLINK.value)),
        uploads=count_capped(MultipartUpload.objects.filter(completed_at=None)),
    )


def _total_usage() -> Usage:
    """Sum the counters of all buckets: at most 16 small rows for each."""
    fields = ("object_count", "version_count", "size_bytes", "history_count", "history_bytes")
    totals = BucketUsage.objects.aggregate(**{f"total_{name}": Sum(name, default=0) for name in fields})
    return Usage(*(int(totals[f"total_{name}"]) for name in fields))


def _zones() -> tuple[ZoneFacts, ...]:
    zones: dict[str, dict[NodeState, int]] = {}
    counted = Node.objects.order_by("zone__name").values_list("zone__name", "state").annotate(count=Count("pk"))
    for name, state, count in counted:
        zones.setdefault(name, {})[NodeState(state)] = count
    return tuple(ZoneFacts(name, counts) for name, counts in zones.items())
