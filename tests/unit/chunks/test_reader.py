from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chunks.errors import FragmentCorrupt, FragmentMissing, NodeUnavailable, NotEnoughFragments
from chunks.fragment_format import header_length_bytes
from chunks.reader import PIECE_BYTES, check_fragment, read_chunk, read_chunk_range
from chunks.records import ChunkView, FaultKind, FaultRecord, NodeState
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, MEBIBYTE, Cluster

SMALL = random.Random(1).randbytes(100 * KIBIBYTE)
LARGE = random.Random(2).randbytes(8 * MEBIBYTE)
MEDIUM = LARGE[: 700 * KIBIBYTE + 3]


def written(cluster: Cluster, data: bytes) -> ChunkView:
    return write_chunk(data, topology=cluster.topology).as_view()


def read(
    cluster: Cluster, chunk: ChunkView, start: int = 0, length: int | None = None
) -> tuple[bytes, list[FaultRecord]]:
    faults: list[FaultRecord] = []
    pieces = list(read_chunk_range(chunk, start, length, on_fault=faults.append, topology=cluster.topology))
    assert all(type(piece) is bytes and 0 < len(piece) <= PIECE_BYTES for piece in pieces)
    assert read_chunk(chunk, start, length, topology=cluster.topology) == b"".join(pieces)
    return b"".join(pieces), faults


RANGES = [
    (0, 8 * MEBIBYTE),
    (0, 0),
    (0, 1),
    (8 * MEBIBYTE, 0),
    (8 * MEBIBYTE - 1, 1),
    (2 * MEBIBYTE - 1, 2),
    (65_535, 2),
    (100_000, 3 * MEBIBYTE),
    (5 * MEBIBYTE + 1, 2 * MEBIBYTE),
]


@pytest.mark.parametrize(("start", "length"), RANGES)
@pytest.mark.parametrize("lost", [(), (0,), (1, 4), (0, 3), (2, 5)])
def test_any_range_is_read_whatever_is_lost(cluster: Cluster, start: int, length: int, lost: tuple[int, ...]) -> None:
    chunk = written(cluster, LARGE)
    cluster.lose(chunk, *lost)
    assert read(cluster, chunk, start, length)[0] == LARGE[start : start + length]


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_range_of_a_damaged_chunk_is_wrong(cluster: Cluster, data: st.DataObject) -> None:
    chunk = written(cluster, MEDIUM)
    for index in data.draw(st.lists(st.integers(0, 5), max_size=2, unique=True)):
        size = cluster.path_of(chunk, index).stat().st_size
        cluster.flip_bit(chunk, index, data.draw(st.integers(0, size - 1)))
    start = data.draw(st.integers(0, len(MEDIUM)))
    length = data.draw(st.integers(0, len(MEDIUM) - start))
    assert read(cluster, chunk, start, length)[0] == MEDIUM[start : start + length]


@pytest.mark.parametrize(("start", "length"), [(-1, 5), (0, 8 * MEBIBYTE + 1), (9 * MEBIBYTE, None), (10, -1)])
def test_a_range_outside_the_chunk_is_a_mistake(cluster: Cluster, start: int, length: int | None) -> None:
    with pytest.raises(ValueError, match="of a chunk"):
        read_chunk_range(ChunkView(written(cluster, b"").id, 8 * MEBIBYTE, "rs-4+2", (1,) * 6), start, length)


def test_a_healthy_read_asks_only_the_data_fragments_that_it_needs(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    read_chunk(chunk, 3 * MEBIBYTE, 10, topology=cluster.topology)
    asked = {node_id: switch.reads for node_id, switch in cluster.switches.items() if switch.reads}
    assert list(asked) == [chunk.node_ids[1]]
    (_, header_start, header_length), (_, block_start, block_length) = asked[chunk.node_ids[1]]
    assert (header_start, header_length) == (0, header_length_bytes(2 * MEBIBYTE))
    assert (block_start, block_length) == (header_length + MEBIBYTE, 64 * KIBIBYTE)


def test_a_small_chunk_costs_one_read(cluster: Cluster) -> None:
    chunk = written(cluster, SMALL)
    assert read_chunk(chunk, topology=cluster.topology) == SMALL
    assert sum(len(switch.reads) for switch in cluster.switches.values()) == 1


def test_copies_stand_in_for_each_other(cluster: Cluster) -> None:
    chunk = written(cluster, SMALL)
    cluster.lose(chunk, 0)
    cluster.flip_bit(chunk, 1, 5000)
    data, faults = read(cluster, chunk)
    assert data == SMALL
    assert {(fault.fragment_index, fault.kind) for fault in faults} == {(0, FaultKind.MISSING), (1, FaultKind.CORRUPT)}


def test_every_fault_is_reported_once_with_its_kind_and_node(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    cluster.lose(chunk, 0)
    cluster.break_nodes(chunk.node_ids[1])
    data, faults = read(cluster, chunk)
    assert data == LARGE
    assert [(f.chunk_id, f.fragment_index, f.node_id, f.kind) for f in faults] == [
        (chunk.id, 0, chunk.node_ids[0], FaultKind.MISSING),
        (chunk.id, 1, chunk.node_ids[1], FaultKind.UNREACHABLE),
    ]


def test_damage_anywhere_is_found_and_worked_around(cluster: Cluster) -> None:
    chunk = written(cluster, MEDIUM)
    for byte_offset in (0, 20, 50, 60, 70, 80, 100, 70_000):
        cluster.flip_bit(chunk, 0, byte_offset)
        data, faults = read(cluster, chunk)
        assert data == MEDIUM
        assert [fault.kind for fault in faults] == [FaultKind.CORRUPT]
        cluster.flip_bit(chunk, 0, byte_offset)


def test_a_cut_or_foreign_fragment_is_corrupt(cluster: Cluster) -> None:
    chunk, other = written(cluster, MEDIUM), written(cluster, MEDIUM)
    path = cluster.path_of(chunk, 0)
    whole = path.read_bytes()
    for damage in (b"", whole[:30], whole[:-1], cluster.path_of(other, 0).read_bytes(), whole[::-1]):
        path.write_bytes(damage)
        data, faults = read(cluster, chunk)
        assert data == MEDIUM
        assert [fault.kind for fault in faults] == [FaultKind.CORRUPT]


def test_a_fragment_under_the_wrong_index_is_corrupt(cluster: Cluster) -> None:
    chunk = written(cluster, MEDIUM)
    cluster.path_of(chunk, 0).write_bytes(cluster.path_of(chunk, 1).read_bytes())
    data, faults = read(cluster, chunk)
    assert data == MEDIUM
    assert [fault.fragment_index for fault in faults] == [0]


def test_three_lost_of_six_are_too_many(cluster: Cluster) -> None:
    for lost in combinations(range(6), 3):
        chunk = written(cluster, LARGE[: 200 * KIBIBYTE])
        cluster.lose(chunk, *lost)
        with pytest.raises(NotEnoughFragments):
            read_chunk(chunk, topology=cluster.topology)


def test_what_is_lost_does_not_keep_the_rest_from_being_read(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    cluster.lose(chunk, 3, 4, 5)
    assert read_chunk(chunk, 0, 6 * MEBIBYTE, topology=cluster.topology) == LARGE[: 6 * MEBIBYTE]


def test_damage_in_different_blocks_of_three_fragments_is_survived_where_blocks_suffice(cluster: Cluster) -> None:
    """Each piece needs four intact fragments at its own positions only, until a fragment is given up."""
    chunk = written(cluster, LARGE)
    for index in (4, 5):
        cluster.lose(chunk, index)
    cluster.flip_bit(chunk, 3, 2 * MEBIBYTE - 5)
    assert read_chunk(chunk, 0, 6 * MEBIBYTE, topology=cluster.topology) == LARGE[: 6 * MEBIBYTE]


def test_a_whole_zone_may_fail(cluster: Cluster) -> None:
    chunks = [(written(cluster, data), data) for data in (SMALL, MEDIUM, LARGE)]
    cluster.break_nodes(3, 4)
    for chunk, data in chunks:
        assert read(cluster, chunk)[0] == data


def test_a_node_that_failed_just_now_is_asked_last_but_asked(cluster: Cluster) -> None:
    chunk = written(cluster, MEDIUM)
    for node_id in chunk.node_ids[:3]:
        cluster.topology.report_failure(node_id)
    data, faults = read(cluster, chunk)
    assert data == MEDIUM
    assert {fault.kind for fault in faults} == {FaultKind.UNREACHABLE}


def test_a_node_marked_as_down_is_not_asked(cluster: Cluster) -> None:
    chunk = written(cluster, MEDIUM)
    cluster.set_state(chunk.node_ids[0], NodeState.DOWN)
    data, faults = read(cluster, chunk)
    assert data == MEDIUM
    assert [fault.kind for fault in faults] == [FaultKind.UNREACHABLE]


def test_an_empty_chunk_is_read_without_asking_anyone(cluster: Cluster) -> None:
    assert read(cluster, written(cluster, b"")) == (b"", [])


def test_a_fragment_can_be_checked_alone(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    for index in range(6):
        check_fragment(chunk, index, cluster.topology)
    cluster.flip_bit(chunk, 5, 1_900_000)
    with pytest.raises(FragmentCorrupt):
        check_fragment(chunk, 5, cluster.topology)
    cluster.lose(chunk, 4)
    with pytest.raises(FragmentMissing):
        check_fragment(chunk, 4, cluster.topology)
    cluster.break_nodes(chunk.node_ids[3])
    with pytest.raises(NodeUnavailable):
        check_fragment(chunk, 3, cluster.topology)
