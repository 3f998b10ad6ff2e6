from __future__ import annotations

import random
from collections import Counter
from uuid import RFC_4122

import pytest

from chunks.errors import NoSpace, NotEnoughNodes, UnknownStorageClass
from chunks.fragment_format import checksum_of
from chunks.ids import new_chunk_id
from chunks.placement import place_fragments
from chunks.reader import read_chunk
from chunks.records import FaultKind, NodeState, signed
from chunks.writer import chunk_size_bytes, write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, MEBIBYTE, Cluster

SMALL = random.Random(1).randbytes(4 * KIBIBYTE)
LARGE = random.Random(2).randbytes(MEBIBYTE + 3)


def zones_of(node_ids: tuple[int, ...]) -> Counter[int]:
    return Counter((node_id + 1) // 2 for node_id in node_ids)


def test_a_small_chunk_is_copied_to_three_zones(cluster: Cluster) -> None:
    written = write_chunk(SMALL, topology=cluster.topology)
    assert (written.scheme, written.size_bytes, written.faults) == ("replicate-3", len(SMALL), ())
    assert zones_of(written.node_ids) == {1: 1, 2: 1, 3: 1}
    assert len(cluster.fragments()) == 3


def test_a_large_chunk_is_spread_over_six_nodes(cluster: Cluster) -> None:
    written = write_chunk(LARGE, topology=cluster.topology)
    assert (written.scheme, written.faults) == ("rs-4+2", ())
    assert sorted(written.node_ids) == [1, 2, 3, 4, 5, 6]
    assert cluster.is_well(written.as_view())
    stored = sum(path.stat().st_size for path in cluster.fragments())
    assert stored < len(LARGE) * 1.51


@pytest.mark.parametrize("size", [0, 1, 3, 128 * KIBIBYTE - 1, 128 * KIBIBYTE, 128 * KIBIBYTE + 1])
def test_any_size_comes_back(cluster: Cluster, size: int) -> None:
    data = LARGE[:size]
    written = write_chunk(memoryview(data), topology=cluster.topology)
    assert read_chunk(written.as_view(), topology=cluster.topology) == data
    assert written.scheme == ("rs-4+2" if size >= 128 * KIBIBYTE else "replicate-3")


def test_the_checksum_is_that_of_the_bytes_in_a_signed_column(cluster: Cluster) -> None:
    for data in (b"", b"a", b"b", b"c", b"d"):
        written = write_chunk(data, topology=cluster.topology)
        assert written.checksum & (2**64 - 1) == checksum_of(data)
        assert -(2**63) <= written.checksum < 2**63
    assert signed(2**64 - 1) == -1


def test_the_caller_may_name_the_chunk(cluster: Cluster) -> None:
    chunk_id = new_chunk_id()
    written = write_chunk(SMALL, chunk_id=chunk_id, topology=cluster.topology)
    assert written.id == chunk_id
    assert written.node_ids == place_fragments(chunk_id, 3, cluster.topology.writable)


def test_ids_are_of_version_7_and_grow() -> None:
    ids = [new_chunk_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(chunk_id.version, chunk_id.variant) for chunk_id in ids} == {(7, RFC_4122)}
    assert ids[0].int >> 80 <= ids[-1].int >> 80


def test_an_unknown_storage_class_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UnknownStorageClass):
        write_chunk(SMALL, storage_class="GLACIER", topology=cluster.topology)
    assert chunk_size_bytes(topology=cluster.topology) == 8 * MEBIBYTE


@pytest.mark.parametrize("data", [SMALL, LARGE])
def test_a_broken_node_is_replaced_by_its_neighbour(cluster: Cluster, data: bytes) -> None:
    cluster.break_nodes(1)
    for _ in range(5):
        written = write_chunk(data, topology=cluster.topology)
        assert 1 not in written.node_ids
        assert read_chunk(written.as_view(), topology=cluster.topology) == data
        assert len(set(zones_of(written.node_ids).values())) == 1, "zones still share evenly"
        kinds = {fault.kind for fault in written.faults}
        assert kinds == ({FaultKind.MISPLACED} if len(set(written.node_ids)) < len(written.node_ids) else set())


def test_a_broken_zone_crowds_the_others_and_says_so(cluster: Cluster) -> None:
    cluster.break_nodes(1, 2)
    written = write_chunk(LARGE, topology=cluster.topology)
    assert zones_of(written.node_ids) == {2: 3, 3: 3}
    assert {fault.kind for fault in written.faults} == {FaultKind.MISPLACED}
    assert len(written.faults) == 2
    assert read_chunk(written.as_view(), topology=cluster.topology) == LARGE


def test_faults_name_the_node_that_the_row_names(cluster: Cluster) -> None:
    cluster.break_nodes(1, 2)
    written = write_chunk(LARGE, topology=cluster.topology)
    for fault in written.faults:
        assert fault.chunk_id == written.id
        assert fault.node_id == written.node_ids[fault.fragment_index]


def test_a_full_node_is_replaced_and_not_asked_again_for_a_while(cluster: Cluster) -> None:
    cluster.switch(1).full = True
    write_chunk(LARGE, topology=cluster.topology)
    cluster.switch(1).full = False
    assert 1 not in write_chunk(LARGE, topology=cluster.topology).node_ids
    cluster.pass_time()
    assert 1 in write_chunk(LARGE, topology=cluster.topology).node_ids


@pytest.mark.parametrize("data", [SMALL, LARGE])
@pytest.mark.parametrize("broken", [(2, 3, 4, 5, 6), (1, 2, 3, 4)])
def test_fragments_share_the_nodes_that_are_left_and_that_is_a_fault(
    cluster: Cluster, data: bytes, broken: tuple[int, ...]
) -> None:
    cluster.break_nodes(*broken)
    written = write_chunk(data, topology=cluster.topology)
    assert set(written.node_ids) <= {1, 2, 3, 4, 5, 6} - set(broken)
    assert written.faults
    assert {fault.kind for fault in written.faults} == {FaultKind.MISPLACED}
    assert read_chunk(written.as_view(), topology=cluster.topology) == data


def test_no_node_left_is_too_few_and_nothing_stays(cluster: Cluster) -> None:
    cluster.break_nodes(1, 2, 3, 4, 5, 6)
    with pytest.raises(NotEnoughNodes):
        write_chunk(LARGE, topology=cluster.topology)
    assert cluster.fragments() == []


def test_all_nodes_full_is_no_space(cluster: Cluster) -> None:
    for node_id in range(1, 7):
        cluster.switch(node_id).full = True
    with pytest.raises(NoSpace):
        write_chunk(LARGE, topology=cluster.topology)
    assert cluster.fragments() == []


def test_no_active_node_is_too_few(cluster: Cluster) -> None:
    for node_id in range(1, 7):
        cluster.set_state(node_id, NodeState.READ_ONLY)
    with pytest.raises(NotEnoughNodes):
        write_chunk(SMALL, topology=cluster.topology)


def test_a_single_node_may_hold_everything_if_it_is_all_there_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    lone = Cluster(tmp_path_factory.mktemp("lone"), zone_sizes=(1,))
    for data in (SMALL, LARGE):
        written = write_chunk(data, topology=lone.topology)
        assert set(written.node_ids) == {1}
        assert written.faults == ()
        assert read_chunk(written.as_view(), topology=lone.topology) == data


def test_a_quorum_counts_and_the_rest_is_a_fault(cluster: Cluster) -> None:
    """All nodes wear out after their first write, so the sixth fragment finds no place."""
    for node_id in range(1, 7):
        cluster.switch(node_id).writes_left = 0 if node_id == 1 else 1
    written = write_chunk(LARGE, topology=cluster.topology)
    assert [(fault.kind, fault.node_id) for fault in written.faults] == [(FaultKind.MISSING, 1)]
    assert read_chunk(written.as_view(), topology=cluster.topology) == LARGE
    assert len(cluster.fragments()) == 5


def test_less_than_a_quorum_is_refused_and_removed(cluster: Cluster) -> None:
    for node_id in range(1, 7):
        cluster.switch(node_id).writes_left = 0 if node_id < 3 else 1
    with pytest.raises(NotEnoughNodes):
        write_chunk(LARGE, topology=cluster.topology)
    assert cluster.fragments() == []


def test_nodes_that_failed_just_now_are_asked_if_it_can_not_be_done_without_them(cluster: Cluster) -> None:
    cluster.break_nodes(2, 3, 4, 5, 6)
    assert set(write_chunk(SMALL, topology=cluster.topology).node_ids) == {1}
    for node_id in range(2, 7):
        cluster.switches[node_id].broken = False
    assert write_chunk(SMALL, topology=cluster.topology).faults == ()
