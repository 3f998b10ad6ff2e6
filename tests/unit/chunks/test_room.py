from __future__ import annotations

import pytest

from chunks.errors import NodeUnavailable, NoSpace
from chunks.reader import read_chunk
from chunks.room import RoomGauge, is_nearly_full, reserve_bytes
from chunks.stores.protocol import StoreSpace
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster

GIBIBYTE = 1 << 30
DATA = bytes(300 * KIBIBYTE)


def test_two_percent_or_one_gibibyte_stay_free_unless_said_otherwise() -> None:
    assert reserve_bytes(StoreSpace(1000 * GIBIBYTE, 0), None) == GIBIBYTE
    assert reserve_bytes(StoreSpace(10 * GIBIBYTE, 0), None) == 10 * GIBIBYTE // 50
    assert reserve_bytes(StoreSpace(10 * GIBIBYTE, 0), 12345) == 12345


def test_a_store_that_is_down_to_its_reserve_is_nearly_full() -> None:
    assert is_nearly_full(StoreSpace(1000 * GIBIBYTE, GIBIBYTE), None)
    assert not is_nearly_full(StoreSpace(1000 * GIBIBYTE, GIBIBYTE + 1), None)
    assert is_nearly_full(StoreSpace(0, 0), 0)


def test_a_node_is_looked_at_once_a_second() -> None:
    now, looks = [0.0], []
    gauge = RoomGauge(lambda: now[0])

    def read_space() -> StoreSpace:
        looks.append(now[0])
        return StoreSpace(100, 100 if now[0] == 0 else 0)

    assert gauge.has_room(1, read_space, 10)
    now[0] = 0.9
    assert gauge.has_room(1, read_space, 10)
    now[0] = 1.0
    assert not gauge.has_room(1, read_space, 10)
    assert looks == [0.0, 1.0]


def test_who_cannot_say_or_be_asked_may_try() -> None:
    def fails() -> StoreSpace:
        raise NodeUnavailable("gone")

    assert RoomGauge().has_room(1, lambda: None, 10)
    assert RoomGauge().has_room(1, fails, 10)


def test_a_nearly_full_node_is_passed_over_and_still_read(cluster: Cluster) -> None:
    before = write_chunk(DATA, topology=cluster.topology)
    cluster.switch(1).free_bytes = 1000
    cluster.pass_time()
    written = write_chunk(DATA, topology=cluster.topology)
    assert 1 not in written.node_ids
    assert written.faults == (), "five nodes are what there is, and nothing better will come of trying again"
    assert read_chunk(before.as_view(), topology=cluster.topology) == DATA
    cluster.switch(1).free_bytes = 50 * GIBIBYTE
    cluster.pass_time()
    assert 1 in write_chunk(DATA, topology=cluster.topology).node_ids


@pytest.mark.parametrize("roomy", [(), (4,)], ids=["none has room", "one has room"])
def test_when_nothing_fits_nothing_is_written(cluster: Cluster, roomy: tuple[int, ...]) -> None:
    for node_id in range(1, 7):
        cluster.switch(node_id).free_bytes = 50 * GIBIBYTE if node_id in roomy else 1000
    with pytest.raises(NoSpace):
        write_chunk(DATA, topology=cluster.topology)
    assert cluster.fragments() == []


def test_the_reserve_is_not_touched_when_nodes_fail(cluster: Cluster) -> None:
    cluster.switch(1).free_bytes = 1000
    cluster.break_nodes(2, 3, 4)
    assert set(write_chunk(DATA, topology=cluster.topology).node_ids) == {5, 6}


def test_a_node_that_is_set_aside_is_not_asked_for_its_room(cluster: Cluster) -> None:
    cluster.switch(1).free_bytes = 50 << 30
    assert len(cluster.topology.with_room()) == 6
    cluster.topology.report_failure(1)
    cluster.pass_time(5)
    cluster.switches[1].free_bytes = 0
    assert len(cluster.topology.with_room()) == 6, "the last look stands: to ask it would be to wait for it"
    cluster.pass_time(600)
    assert len(cluster.topology.with_room()) == 5


def test_who_comes_while_another_asks_goes_by_the_last_look() -> None:
    now = 0.0
    gauge = RoomGauge(clock=lambda: now)
    assert gauge.has_room(1, lambda: StoreSpace(100, 50), 10)
    now = 5.0
    answers: list[bool] = []

    def slow_look() -> StoreSpace:
        answers.append(gauge.has_room(1, lambda: StoreSpace(100, 1), 10))
        return StoreSpace(100, 5)

    assert not gauge.has_room(1, slow_look, 10)
    assert answers == [True]
