from __future__ import annotations

import shutil
from dataclasses import replace
from uuid import uuid4

import pytest

from chunks.breaker import Breaker
from chunks.errors import NodeUnavailable, UnknownStorageClass
from chunks.records import NodeState
from chunks.topology import NodeEntry, StorageClassEntry, Topology
from tests.unit.chunks.cluster import Cluster


def test_a_breaker_leaves_a_node_alone_for_a_while() -> None:
    now = [0.0]
    breaker = Breaker(seconds=10, clock=lambda: now[0])
    assert not breaker.is_set_aside(1)
    breaker.set_aside(1)
    assert breaker.is_set_aside(1)
    assert not breaker.is_set_aside(2)
    now[0] = 10.0
    assert not breaker.is_set_aside(1)


def test_large_and_small_chunks_have_schemes_of_their_own() -> None:
    storage_class = StorageClassEntry("STANDARD", 8, "replicate-3", "rs-4+2", 100)
    assert storage_class.scheme_for(99) == "replicate-3"
    assert storage_class.scheme_for(100) == "rs-4+2"


def test_an_unknown_storage_class_is_an_error(cluster: Cluster) -> None:
    with pytest.raises(UnknownStorageClass):
        cluster.topology.storage_class("GLACIER")


def test_an_unknown_node_is_unavailable(cluster: Cluster) -> None:
    with pytest.raises(NodeUnavailable):
        cluster.topology.store(99)


def test_states_decide_what_a_node_is_used_for(cluster: Cluster) -> None:
    cluster.set_state(1, NodeState.DOWN)
    cluster.set_state(2, NodeState.READ_ONLY)
    cluster.set_state(3, NodeState.DRAINING)
    assert cluster.topology.usable_for_writing() == {4, 5, 6}
    assert [cluster.topology.is_usable_for_reading(node_id) for node_id in (1, 2, 3, 4)] == [False, True, True, True]
    with pytest.raises(NodeUnavailable):
        cluster.topology.store(1)


def test_a_full_node_is_still_read(cluster: Cluster) -> None:
    cluster.topology.report_full(1)
    assert 1 not in cluster.topology.usable_for_writing()
    assert cluster.topology.is_usable_for_reading(1)


def test_a_failed_node_is_left_alone_and_opened_afresh(cluster: Cluster) -> None:
    node = cluster.entries[0]
    topology = Topology([node], [])
    store = topology.store(1)
    assert topology.store(1) is store
    topology.report_failure(1)
    assert not topology.is_usable_for_reading(1)
    assert topology.store(1) is not store
    topology.report_failure(1)
    shutil.rmtree(node.location)
    with pytest.raises(NodeUnavailable):
        topology.store(1)


def test_a_node_that_moved_is_opened_where_it_is(cluster: Cluster) -> None:
    first = Topology(cluster.entries[:1], [])
    moved = replace(cluster.entries[0], location=f"{cluster.root}/elsewhere")
    second = Topology([moved], [], first._stores)
    first.store(1)
    with pytest.raises(NodeUnavailable):
        second.store(1)


def test_a_kind_of_store_that_is_not_known_is_unavailable() -> None:
    with pytest.raises(NodeUnavailable):
        Topology([NodeEntry(1, 1, "tape", "tape", "/dev/st0", uuid4())], []).store(1)


def test_after_its_time_one_request_tries_a_node_and_the_others_follow_when_that_went_well() -> None:
    now = [0.0]
    breaker = Breaker(seconds=10, clock=lambda: now[0])
    breaker.set_aside(1)
    now[0] = 10.0
    assert [breaker.is_set_aside(1) for _ in range(3)] == [False, True, True]
    now[0] = 11.5
    assert [breaker.is_set_aside(1) for _ in range(3)] == [False, False, False]


def test_a_node_that_flaps_is_left_alone_for_longer_each_time() -> None:
    now = [0.0]
    breaker = Breaker(seconds=10, clock=lambda: now[0])
    times = []
    for _ in range(8):
        breaker.set_aside(1)
        breaker.set_aside(1)  # by another request that was under way
        since = now[0]
        while breaker.is_set_aside(1):
            now[0] += 1
        times.append(now[0] - since)
    assert times == [10, 20, 40, 80, 160, 320, 320, 320]
    now[0] += 2_000
    assert not breaker.is_set_aside(1)
    breaker.set_aside(1)
    now[0] += 10
    assert not breaker.is_set_aside(1), "a node that was well for long starts anew"
