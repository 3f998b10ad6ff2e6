from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from chunks.open_segment import MISPLACED_SECONDS_MAX
from chunks.packing import PACKED_BYTES_MAX, Packer
from chunks.reader import read_chunk
from chunks.records import FaultKind, FaultRecord, NodeState
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.segments import Ledger, write_all

DATA = random.Random(5).randbytes(300 * KIBIBYTE)
SMALL = DATA[:4096]
BODIES = [DATA[start : start + 1 + 37 * start % 9000] for start in range(200)]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def packer(ledger: Ledger) -> Packer:
    return Packer(ledger)


def segment_files(cluster: Cluster) -> list[Path]:
    return sorted(path for path in cluster.fragments() if path.suffix == ".segment")


def test_a_small_chunk_lies_in_a_segment_of_equal_copies(cluster: Cluster, packer: Packer, ledger: Ledger) -> None:
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    chunk = written.as_view()
    assert (written.segment_id, written.segment_offset) == (ledger.begun[0].id, 0)
    assert written.node_ids == ledger.begun[0].node_ids
    assert {(node_id + 1) // 2 for node_id in written.node_ids} == {1, 2, 3}, "one copy in each zone"
    assert len({cluster.path_of(chunk, index).read_bytes() for index in range(3)}) == 1
    assert read_chunk(chunk, topology=cluster.topology) == SMALL
    assert cluster.is_well(chunk)


def test_chunks_follow_each_other_in_one_segment(cluster: Cluster, packer: Packer) -> None:
    written = [write_chunk(body, topology=cluster.topology, packer=packer) for body in BODIES]
    assert len({chunk.segment_id for chunk in written}) == 1
    assert len(segment_files(cluster)) == len(cluster.fragments()) == 3
    for chunk, body in zip(written, BODIES, strict=True):
        assert read_chunk(chunk.as_view(), topology=cluster.topology) == body
        assert read_chunk(chunk.as_view(), 0, len(body) // 2, topology=cluster.topology) == body[: len(body) // 2]


def test_writers_at_once_share_groups_and_each_group_syncs_each_node_once(cluster: Cluster, packer: Packer) -> None:
    write_chunk(SMALL, topology=cluster.topology, packer=packer)
    before = sum(switch.syncs for switch in cluster.switches.values())
    groups_before = packer.group_count
    gate = threading.Event()
    first = next(switch for switch in cluster.switches.values() if switch.syncs)
    first.hold = gate  # the first group's sync takes until the others have come
    threading.Timer(0.5, gate.set).start()
    written = write_all(cluster, packer, BODIES, writers=64)
    groups = packer.group_count - groups_before
    assert groups <= len(BODIES) // 2
    assert sum(switch.syncs for switch in cluster.switches.values()) - before == 3 * groups
    for chunk, body in zip(written, BODIES, strict=True):
        assert read_chunk(chunk.as_view(), topology=cluster.topology) == body


def test_what_is_large_or_coded_is_not_packed(cluster: Cluster, packer: Packer) -> None:
    for body in (DATA[: PACKED_BYTES_MAX + 1], DATA):
        assert write_chunk(body, topology=cluster.topology, packer=packer).segment_id is None
    assert write_chunk(DATA[:PACKED_BYTES_MAX], topology=cluster.topology, packer=packer).segment_id is not None


@pytest.mark.parametrize("failure", ["broken", "full", "worn out", "deleted"])
def test_a_node_that_fails_costs_a_new_segment_on_others(
    cluster: Cluster, packer: Packer, ledger: Ledger, failure: str
) -> None:
    first = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    victim = first.node_ids[1]
    if failure == "broken":
        cluster.break_nodes(victim)
    elif failure == "full":
        cluster.switch(victim).full = True
    elif failure == "worn out":
        cluster.switch(victim).writes_left = 0
    else:
        cluster.path_of(first.as_view(), 1).unlink()
    written = write_all(cluster, packer, BODIES[:20])
    assert len(ledger.begun) >= 2
    assert ledger.sealed[ledger.begun[0].id] == 4096 + 72
    for chunk, body in zip(written, BODIES[:20], strict=True):
        assert victim not in chunk.node_ids
        assert chunk.segment_id == ledger.begun[-1].id
        assert cluster.is_well(chunk.as_view())
        assert read_chunk(chunk.as_view(), topology=cluster.topology) == body
    assert read_chunk(first.as_view(), topology=cluster.topology) == SMALL


def test_with_fewer_nodes_than_copies_fragments_have_files_of_their_own(cluster: Cluster, packer: Packer) -> None:
    cluster.break_nodes(1, 2, 3, 4)
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert written.segment_id is None
    assert read_chunk(written.as_view(), topology=cluster.topology) == SMALL
    cluster.mend_nodes(1, 2, 3, 4)
    assert write_chunk(SMALL, topology=cluster.topology, packer=packer).segment_id is not None


def test_nodes_that_can_not_append_are_passed_over(cluster: Cluster, packer: Packer) -> None:
    for node_id in (1, 3, 5):
        cluster.switch(node_id).can_append = False
    assert set(write_chunk(SMALL, topology=cluster.topology, packer=packer).node_ids) == {2, 4, 6}
    cluster.switch(2).can_append = False
    cluster.set_state(6, NodeState.DRAINING)
    assert write_chunk(SMALL, topology=cluster.topology, packer=packer).segment_id is None


def test_nothing_is_packed_where_that_would_leave_out_a_zone(cluster: Cluster, packer: Packer) -> None:
    for node_id in (5, 6):
        cluster.switch(node_id).can_append = False
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert written.segment_id is None
    assert {(node_id + 1) // 2 for node_id in written.node_ids} == {1, 2, 3}


def test_a_segment_that_can_not_be_written_down_is_not_begun(cluster: Cluster, packer: Packer, ledger: Ledger) -> None:
    ledger.is_broken = True
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert written.segment_id is None
    assert segment_files(cluster) == []


def test_a_zone_that_is_away_leaves_copies_crowded_and_says_so_and_soon_makes_way(cluster: Cluster) -> None:
    ledger = Ledger()
    packer = Packer(ledger, clock=lambda: cluster.now)
    cluster.break_nodes(1, 2)
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert [fault.kind for fault in written.faults] == [FaultKind.MISPLACED]
    fault = written.faults[0]
    assert fault == FaultRecord(written.id, fault.fragment_index, written.node_ids[fault.fragment_index], fault.kind)
    cluster.mend_nodes(1, 2)
    cluster.pass_time(MISPLACED_SECONDS_MAX)
    assert write_chunk(SMALL, topology=cluster.topology, packer=packer).faults == ()


def test_a_segment_is_left_when_it_is_full_or_old_or_its_node_is_drained(cluster: Cluster) -> None:
    ledger = Ledger()
    packer = Packer(ledger, segment_bytes_max=10_000, segment_seconds_max=100, clock=lambda: cluster.now)
    for _ in range(3):
        write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert [ledger.sealed.get(one.id) for one in ledger.begun] == [2 * 4168, None]
    cluster.pass_time(101)
    written = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    assert len(ledger.begun) == 3
    cluster.set_state(written.node_ids[0], NodeState.DRAINING)
    assert written.node_ids[0] not in write_chunk(SMALL, topology=cluster.topology, packer=packer).node_ids
    assert len(ledger.begun) == 4
    packer.close()
    assert len(ledger.sealed) == 4


def test_a_leader_that_is_killed_leaves_nobody_waiting_and_nothing_unsure(cluster: Cluster, packer: Packer) -> None:
    first = write_chunk(SMALL, topology=cluster.topology, packer=packer)
    killer = cluster.switch(first.node_ids[0])
    killer.is_killed_after_write = True
    outcomes: list[object] = []

    def write(body: bytes) -> None:
        try:
            outcomes.append((body, write_chunk(body, topology=cluster.topology, packer=packer)))
        except KeyboardInterrupt:
            killer.is_killed_after_write = False
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(body,)) for body in BODIES[:30]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    acknowledged = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert outcomes.count(None) >= 1
    assert len(acknowledged) + outcomes.count(None) == 30
    for body, written in acknowledged:
        assert read_chunk(written.as_view(), topology=cluster.topology) == body
        assert written.segment_id != first.segment_id, "nobody appends behind what is unsure"


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "swapped"])
def test_a_damaged_copy_is_worked_around_and_reported(cluster: Cluster, packer: Packer, damage: str) -> None:
    one, two = (write_chunk(body, topology=cluster.topology, packer=packer).as_view() for body in BODIES[100:102])
    path = cluster.path_of(two, 0)
    if damage == "cut":
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 1)
    elif damage == "flipped":
        cluster.flip_bit(two, 0, 100)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[::-1])
    faults: list[FaultRecord] = []
    assert read_chunk(two, topology=cluster.topology, on_fault=faults.append) == BODIES[101]
    kind = FaultKind.MISSING if damage == "missing" else FaultKind.CORRUPT
    assert [(fault.chunk_id, fault.fragment_index, fault.node_id, fault.kind) for fault in faults] == [
        (two.id, 0, two.node_ids[0], kind)
    ]
    faults.clear()
    assert read_chunk(one, topology=cluster.topology, on_fault=faults.append) == BODIES[100]
    assert bool(faults) == (damage in {"missing", "swapped"}), "what lies beside it is whole"


def test_what_a_crash_left_behind_the_last_sync_harms_nothing(cluster: Cluster, packer: Packer) -> None:
    chunk = write_chunk(SMALL, topology=cluster.topology, packer=packer).as_view()
    for index, torn in enumerate((b"", b"OBJf torn", bytes(5000))):
        with cluster.path_of(chunk, index).open("ab") as file:
            file.write(torn)
    assert cluster.is_well(chunk)
    assert read_chunk(chunk, topology=cluster.topology) == SMALL
