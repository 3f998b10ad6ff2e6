"""What the console and the health page ask of storage."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count

from chunks.models import FragmentFault, Garbage, Node
from chunks.records import FaultKind, GarbageState, NodeState

_COUNT_FRAGMENTS = "SELECT node_id, count(*) FROM chunks_chunk, unnest(node_ids) AS node_id GROUP BY node_id"


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """A node and how it fares."""

    id: int
    name: str
    zone_name: str
    location: str
    state: NodeState
    weight: float
    fragment_count: int
    fault_count: int


def list_nodes(*, using: str = DEFAULT_DB_ALIAS) -> list[NodeSummary]:
    """Return all nodes with the fragments and faults that one metadata shard knows of them.

    Three queries, of which one reads every chunk's row: for people, not for requests.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_COUNT_FRAGMENTS)
        fragment_counts = dict(cursor.fetchall())
    faults = FragmentFault.objects.using(using).values_list("node_id").annotate(count=Count("pk"))
    fault_counts = dict(faults)
    return [
        NodeSummary(
            id=node.id,
            name=node.name,
            zone_name=node.zone.name,
            location=node.location,
            state=NodeState(node.state),
            weight=node.weight,
            fragment_count=fragment_counts.get(node.id, 0),
            fault_count=fault_counts.get(node.id, 0),
        )
        for node in Node.objects.select_related("zone").order_by("id")
    ]


def count_faults(*, using: str = DEFAULT_DB_ALIAS) -> Mapping[FaultKind, int]:
    """Return how many fragments wait for the repairer, by what is wrong with them."""
    counted = FragmentFault.objects.using(using).values_list("kind").annotate(count=Count("pk"))
    return {FaultKind(kind): count for kind, count in counted}


def count_garbage(*, using: str = DEFAULT_DB_ALIAS) -> Mapping[GarbageState, int]:
    """Return how many chunks wait for an answer, and how many for their fragments to be unlinked."""
    counted = Garbage.objects.using(using).values_list("state").annotate(count=Count("pk"))
    return {GarbageState(state): count for state, count in counted}
