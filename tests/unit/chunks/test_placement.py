from __future__ import annotations

import random
from collections import Counter
from math import ceil
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chunks.placement import NodeView, find_misplaced, place_fragments, rank_candidates

CHUNK_COUNT = 3000


def nodes_in_zones(*zone_sizes: int) -> tuple[NodeView, ...]:
    zone_ids = [zone_id for zone_id, size in enumerate(zone_sizes, 1) for _ in range(size)]
    return tuple(NodeView(node_id, zone_id) for node_id, zone_id in enumerate(zone_ids, 1))


def chunk_ids(count: int = CHUNK_COUNT) -> list[UUID]:
    source = random.Random(7)
    return [UUID(int=source.getrandbits(128)) for _ in range(count)]


def zones_of(placed: tuple[int, ...], nodes: tuple[NodeView, ...]) -> Counter[int]:
    zone_ids = {node.id: node.zone_id for node in nodes}
    return Counter(zone_ids[node_id] for node_id in placed)


SIX = nodes_in_zones(2, 2, 2)
topologies = st.lists(st.integers(1, 4), min_size=1, max_size=6).map(lambda sizes: nodes_in_zones(*sizes))
any_chunk = st.uuids()


def test_four_plus_two_puts_one_on_each_of_six_nodes() -> None:
    for chunk_id in chunk_ids(200):
        assert sorted(place_fragments(chunk_id, 6, SIX)) == [1, 2, 3, 4, 5, 6]


def test_three_copies_lie_in_three_zones() -> None:
    for chunk_id in chunk_ids(200):
        assert set(zones_of(place_fragments(chunk_id, 3, SIX), SIX).values()) == {1}


@given(chunk_id=any_chunk, nodes=topologies, count=st.integers(1, 14))
@settings(max_examples=300, deadline=None)
def test_nodes_share_as_evenly_as_they_can(chunk_id: UUID, nodes: tuple[NodeView, ...], count: int) -> None:
    loads = Counter({node.id: 0 for node in nodes})
    loads.update(place_fragments(chunk_id, count, nodes))
    assert max(loads.values()) - min(loads.values()) <= 1


@given(chunk_id=any_chunk, zone_count=st.integers(1, 5), zone_size=st.integers(1, 4), count=st.integers(1, 14))
@settings(max_examples=300, deadline=None)
def test_no_zone_holds_more_than_its_share(chunk_id: UUID, zone_count: int, zone_size: int, count: int) -> None:
    nodes = nodes_in_zones(*[zone_size] * zone_count)
    loads = zones_of(place_fragments(chunk_id, count, nodes), nodes)
    assert max(loads.values()) == ceil(count / zone_count)


@given(chunk_id=any_chunk, nodes=topologies, count=st.integers(1, 14), seed=st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_nodes_does_not_matter(
    chunk_id: UUID, nodes: tuple[NodeView, ...], count: int, seed: random.Random
) -> None:
    shuffled = list(nodes)
    seed.shuffle(shuffled)
    assert place_fragments(chunk_id, count, shuffled) == place_fragments(chunk_id, count, nodes)


def test_a_lone_large_zone_does_not_make_a_small_zones_node_hold_two() -> None:
    nodes = nodes_in_zones(5, 1)
    for chunk_id in chunk_ids(100):
        assert len(set(place_fragments(chunk_id, 6, nodes))) == 6


@pytest.mark.parametrize("count", [3, 6])
def test_a_seventh_node_takes_a_seventh_and_nothing_else_moves(count: int) -> None:
    six, seven = nodes_in_zones(*[1] * 6), nodes_in_zones(*[1] * 7)
    moved = 0
    for chunk_id in chunk_ids():
        for old, new in zip(
            place_fragments(chunk_id, count, six), place_fragments(chunk_id, count, seven), strict=True
        ):
            assert new in {old, 7}
            moved += old != new
    assert moved / (count * CHUNK_COUNT) == pytest.approx(1 / 7, rel=0.1)


@pytest.mark.parametrize("zone_id", [1, 2, 3])
@pytest.mark.parametrize("count", [3, 6])
def test_a_seventh_node_in_a_zone_moves_about_its_share(count: int, zone_id: int) -> None:
    moved = sum(
        old != new
        for chunk_id in chunk_ids()
        for old, new in zip(
            place_fragments(chunk_id, count, SIX),
            place_fragments(chunk_id, count, (*SIX, NodeView(7, zone_id))),
            strict=True,
        )
    )
    assert 0.1 < moved / (count * CHUNK_COUNT) < 0.18


def test_weights_decide_where_there_is_a_choice() -> None:
    nodes = (NodeView(1, 1, 1.0), NodeView(2, 2, 2.0), NodeView(3, 3, 3.0))
    loads = Counter(place_fragments(chunk_id, 1, nodes)[0] for chunk_id in chunk_ids())
    for node in nodes:
        assert loads[node.id] / CHUNK_COUNT == pytest.approx(node.weight / 6, rel=0.1)


def test_data_fragments_fall_on_all_nodes_alike() -> None:
    loads: Counter[int] = Counter()
    for chunk_id in chunk_ids():
        loads.update(place_fragments(chunk_id, 6, SIX)[:4])
    for node in SIX:
        assert loads[node.id] / (4 * CHUNK_COUNT) == pytest.approx(1 / 6, rel=0.1)


def test_no_node_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no node"):
        place_fragments(UUID(int=1), 3, ())


def test_a_failed_nodes_fragment_goes_to_its_neighbour_in_the_zone() -> None:
    for chunk_id in chunk_ids(100):
        placed = place_fragments(chunk_id, 6, SIX)
        lost = placed.index(1)
        others = [node_id for index, node_id in enumerate(placed) if index != lost]
        assert rank_candidates(chunk_id, others, SIX, {2, 3, 4, 5, 6})[0] == 2


def test_a_third_copy_goes_to_the_zone_that_has_none() -> None:
    for chunk_id in chunk_ids(100):
        assert set(rank_candidates(chunk_id, [3, 5], SIX, {1, 2, 4, 6})[:2]) == {1, 2}


@given(chunk_id=any_chunk, nodes=topologies, count=st.integers(1, 14))
@settings(max_examples=200, deadline=None)
def test_a_proper_placement_has_nothing_misplaced(chunk_id: UUID, nodes: tuple[NodeView, ...], count: int) -> None:
    assert find_misplaced(chunk_id, place_fragments(chunk_id, count, nodes), nodes) == []


def test_what_crowds_a_node_or_a_zone_is_misplaced() -> None:
    for chunk_id in chunk_ids(100):
        placed = list(place_fragments(chunk_id, 6, SIX))
        stray = placed.index(1)
        placed[stray] = 2  # shares a node
        assert find_misplaced(chunk_id, placed, SIX) == [stray]
        copies = list(place_fragments(chunk_id, 3, SIX))
        zone_ids = {node.id: node.zone_id for node in SIX}
        copies[2] = next(n.id for n in SIX if n.zone_id == zone_ids[copies[0]] and n.id != copies[0])
        assert find_misplaced(chunk_id, copies, SIX) == [2]


def test_another_good_place_is_not_misplaced() -> None:
    nodes = nodes_in_zones(3, 3, 3)
    for chunk_id in chunk_ids(50):
        placed = list(place_fragments(chunk_id, 3, nodes))
        placed[0] = next(n.id for n in nodes if (n.id - 1) // 3 == (placed[0] - 1) // 3 and n.id != placed[0])
        assert find_misplaced(chunk_id, placed, nodes) == []
