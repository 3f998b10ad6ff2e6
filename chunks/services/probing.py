"""Look at the nodes: who answers, how fast, and how much room is left.

What is found is written down for people and for the duties that follow it; no request waits for it. A node's state is
never changed: whether a node that does not answer is lost is for people, or for a grace period, to say.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from chunks import topology as topologies
from chunks.errors import ChunkError
from chunks.stores.protocol import StoreSpace
from chunks.topology import NodeEntry, Topology

ANSWER_SECONDS_MAX = 5.0

# One statement for all nodes. A failure keeps what was last known of space and latency.
_RECORD = """
INSERT INTO chunks_nodehealth AS h
       (node_id, probed_at, last_seen_at, unreachable_since, last_error, latency_seconds, total_bytes, free_bytes)
SELECT p.node_id, now(), CASE WHEN p.error = '' THEN now() END, CASE WHEN p.error <> '' THEN now() END, p.error,
       p.latency_seconds, p.total_bytes, p.free_bytes
  FROM unnest(%s::smallint[], %s::text[], %s::float[], %s::bigint[], %s::bigint[])
       AS p(node_id, error, latency_seconds, total_bytes, free_bytes)
  JOIN chunks_node n ON n.id = p.node_id
 ORDER BY p.node_id
    ON CONFLICT (node_id) DO UPDATE SET
       probed_at = excluded.probed_at,
       last_seen_at = coalesce(excluded.last_seen_at, h.last_seen_at),
       unreachable_since = CASE WHEN excluded.last_error <> '' THEN coalesce(h.unreachable_since, now()) END,
       last_error = excluded.last_error,
       latency_seconds = coalesce(excluded.latency_seconds, h.latency_seconds),
       total_bytes = coalesce(excluded.total_bytes, h.total_bytes),
       free_bytes = coalesce(excluded.free_bytes, h.free_bytes),
       faults_queued_at = CASE WHEN excluded.last_error <> '' THEN h.faults_queued_at END
"""


@dataclass(frozen=True, slots=True)
class NodeProbe:
    """What one look at a node found; an empty error is a node that is well."""

    node_id: int
    error: str = ""
    latency_seconds: float | None = None
    space: StoreSpace | None = None


# Threads that a dead disk holds: such a node is not given another one.
_stuck: dict[int, threading.Thread] = {}


def probe_nodes(*, topology: Topology | None = None) -> list[NodeProbe]:
    """Look at every node that is not marked as down, all at once, and record what was found. One statement."""
    topology = topology or topologies.current()
    found: dict[int, NodeProbe] = {}
    asked = [node for node in topology.nodes.values() if node.state.is_readable]
    threads = {node.id: _start(node, topology, found) for node in asked}
    until = time.monotonic() + ANSWER_SECONDS_MAX
    for node_id, thread in threads.items():
        thread.join(max(0.0, until - time.monotonic()))
        if thread.is_alive():
            _stuck[node_id] = thread
    probes = [_result(node, found, topology) for node in asked]
    _record(probes)
    return probes


def _start(node: NodeEntry, topology: Topology, found: dict[int, NodeProbe]) -> threading.Thread:
    stuck = _stuck.pop(node.id, None)
    if stuck is not None and stuck.is_alive():
        return stuck

    def look() -> None:
        found[node.id] = _probe(node, topology)

    thread = threading.Thread(target=look, name=f"probe {node.name}", daemon=True)
    thread.start()
    return thread


def _probe(node: NodeEntry, topology: Topology) -> NodeProbe:
    """Ask one node who it is and how much room it has; one that takes fragments also proves that it can."""
    started_at = time.perf_counter()
    try:
        store = topology.store(node.id)
        store.check_identity()
        space = store.space()
        # A full disk is no failure: the figures say it, and probing it would only take from the reserve.
        if node.state.is_writable and node.id in {view.id for view in topology.with_room()}:
            store.probe()
    except ChunkError as error:
        return NodeProbe(node.id, str(error) or type(error).__name__)
    return NodeProbe(node.id, "", time.perf_counter() - started_at, space)


def _result(node: NodeEntry, found: Mapping[int, NodeProbe], topology: Topology) -> NodeProbe:
    probe = found.get(node.id) or NodeProbe(node.id, f"no answer within {ANSWER_SECONDS_MAX:g} s")
    if probe.error:
        topology.report_failure(node.id)  # opened afresh next time: the disk may be another one by then
    return probe


def _record(probes: list[NodeProbe]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD,
            [
                [probe.node_id for probe in probes],
                [probe.error for probe in probes],
                [probe.latency_seconds for probe in probes],
                [probe.space.total_bytes if probe.space else None for probe in probes],
                [probe.space.free_bytes if probe.space else None for probe in probes],
            ],
        )
