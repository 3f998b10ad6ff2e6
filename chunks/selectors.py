"""What the console and the health page ask of storage."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Count

from chunks import topology as topologies
from chunks.models import Chunk, FragmentFault, Garbage, Node
from chunks.reader import fragment_size_bytes
from chunks.records import NEEDED_FRAGMENTS_SQL, ChunkView, FaultKind, GarbageState, NodeState
from chunks.services.relocation import plan_moves
from chunks.stores.django_storage.options import describe
from chunks.topology import Topology

_COUNT_FRAGMENTS = "SELECT node_id, count(*) FROM chunks_chunk, unnest(node_ids) AS node_id GROUP BY node_id"


@dataclass(frozen=True, slots=True)
class Health:
    """What the last look at a node found, and when it was last well."""

    probed_at: datetime
    last_seen_at: datetime | None
    unreachable_since: datetime | None
    last_error: str
    latency_seconds: float | None
    total_bytes: int | None
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """A node and how it fares, its options without secrets. `health` is None until it was looked at."""

    id: int
    name: str
    zone_name: str
    region: str
    labels: tuple[str, ...]
    store_kind: str
    location: str
    options: str
    state: NodeState
    weight: float
    fragment_count: int
    fault_count: int
    health: Health | None


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
            region=node.zone.region,
            labels=tuple(node.labels),
            store_kind=node.store_kind,
            location=node.location,
            options=describe(node.options),
            state=NodeState(node.state),
            weight=node.weight,
            fragment_count=fragment_counts.get(node.id, 0),
            fault_count=fault_counts.get(node.id, 0),
            health=_health(node),
        )
        for node in Node.objects.select_related("zone", "health").order_by("id")
    ]


def _health(node: Node) -> Health | None:
    row = getattr(node, "health", None)  # the reverse side of a one-to-one raises where there is none
    if row is None:
        return None
    return Health(
        probed_at=row.probed_at,
        last_seen_at=row.last_seen_at,
        unreachable_since=row.unreachable_since,
        last_error=row.last_error,
        latency_seconds=row.latency_seconds,
        total_bytes=row.total_bytes,
        free_bytes=row.free_bytes,
    )


def count_faults(*, using: str = DEFAULT_DB_ALIAS) -> Mapping[FaultKind, int]:
    """Return how many fragments wait for the repairer, by what is wrong with them."""
    counted = FragmentFault.objects.using(using).values_list("kind").annotate(count=Count("pk"))
    return {FaultKind(kind): count for kind, count in counted}


def count_garbage(*, using: str = DEFAULT_DB_ALIAS) -> Mapping[GarbageState, int]:
    """Return how many chunks wait for an answer, and how many for their fragments to be unlinked."""
    counted = Garbage.objects.using(using).values_list("state").annotate(count=Count("pk"))
    return {GarbageState(state): count for state, count in counted}


@dataclass(frozen=True, slots=True)
class RebalanceEstimate:
    """What rebalancing would move, and each node's fragments before and after, by its name."""

    fragments: int
    moves: int
    move_bytes: int
    nodes: Mapping[str, tuple[int, int]]


def estimate_rebalance(*, topology: Topology | None = None, using: str = DEFAULT_DB_ALIAS) -> RebalanceEstimate:
    """Walk all chunks and count what belongs elsewhere. Streams every row; some 50 microseconds for each."""
    topology = topology or topologies.current()
    before: Counter[int] = Counter()
    after: Counter[int] = Counter()
    moves = move_bytes = 0
    columns = ("id", "size_bytes", "scheme", "node_ids", "segment_id", "segment_offset", "storage_class")
    rows = Chunk.objects.using(using).values_list(*columns)
    for row in rows.iterator(chunk_size=1000):
        chunk = ChunkView(*row)
        planned = plan_moves(chunk, topology)
        before.update(chunk.node_ids)
        after.update(planned.get(index, node_id) for index, node_id in enumerate(chunk.node_ids))
        moves += len(planned)
        move_bytes += len(planned) * fragment_size_bytes(chunk)
    return RebalanceEstimate(
        fragments=before.total(),
        moves=moves,
        move_bytes=move_bytes,
        nodes={node.name: (before[node.id], after[node.id]) for node in topology.nodes.values()},
    )


# Plan: one pass over all chunks.
_COUNT_BYTES_BY_CLASS = f"""
SELECT c.storage_class, count(*), count(c.plain_bytes), sum(coalesce(c.plain_bytes, c.size_bytes)), sum(c.size_bytes),
       sum(ceil(c.size_bytes::numeric / {NEEDED_FRAGMENTS_SQL}) * cardinality(c.node_ids))
  FROM chunks_chunk c GROUP BY c.storage_class
"""  # noqa: S608  put together from constants


@dataclass(frozen=True, slots=True)
class ClassUsage:
    """What the chunks of a storage class hold: bytes of objects, of chunks, and of fragments without their headers.

    An encrypted chunk that is not compressed counts its tags (0.02 %) as bytes of the object.
    """

    chunk_count: int
    compressed_count: int
    plain_bytes: int
    chunk_bytes: int
    stored_bytes: int


def count_bytes_by_class() -> dict[str, ClassUsage]:
    """Count what each class holds. One statement, which reads all rows of chunks."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_BYTES_BY_CLASS, [])
        return {name: ClassUsage(*(int(figure) for figure in figures)) for name, *figures in cursor.fetchall()}
