from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from chunks.ids import new_chunk_id
from chunks.models import Chunk, FragmentFault
from chunks.reader import read_chunk
from chunks.records import ChunkView, FaultKind, FaultRecord, NodeState
from chunks.services import RepairReport, record_faults, repair_chunk, repair_faults
from chunks.topology import Topology
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, publish, published

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(3).randbytes(300 * KIBIBYTE + 1)
SMALL = DATA[:1000]


def read_and_report(cluster: Cluster, chunk: ChunkView) -> None:
    faults: list[FaultRecord] = []
    assert read_chunk(chunk, topology=cluster.topology, on_fault=faults.append)
    record_faults(faults)


def report_all(chunk: ChunkView, kind: FaultKind = FaultKind.MISSING) -> None:
    record_faults([FaultRecord(chunk.id, index, node_id, kind) for index, node_id in enumerate(chunk.node_ids)])


def make_due() -> None:
    FragmentFault.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("data", [DATA, SMALL])
def test_what_a_reader_found_missing_or_damaged_is_rebuilt_in_place(cluster: Cluster, data: bytes) -> None:
    chunk = published(cluster, data)
    cluster.lose(chunk, 0)
    cluster.flip_bit(chunk, 1, 90)
    read_and_report(cluster, chunk)
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=2)
    assert current_view(chunk) == chunk
    assert cluster.is_well(chunk)
    assert not FragmentFault.objects.exists()


def test_nothing_due_is_nothing_done(cluster: Cluster) -> None:
    assert repair_faults(topology=cluster.topology) == RepairReport()


def test_a_fault_that_is_not_one_is_dropped(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    report_all(chunk)
    assert repair_faults(topology=cluster.topology) == RepairReport(found_well=6)
    assert not FragmentFault.objects.exists()


def test_a_crowded_fragment_moves_home_when_its_node_is_back(cluster: Cluster) -> None:
    cluster.break_nodes(1)
    chunk = published(cluster, DATA)
    assert FragmentFault.objects.get().kind == FaultKind.MISPLACED
    assert repair_faults(topology=cluster.topology) == RepairReport(postponed=1)
    assert FragmentFault.objects.get().attempts == 1
    cluster.mend_nodes(1)
    make_due()
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    moved = current_view(chunk)
    assert sorted(moved.node_ids) == [1, 2, 3, 4, 5, 6]
    assert cluster.is_well(moved)
    assert len(cluster.fragments()) == 6, "the old copy is gone"


def test_a_fragment_that_no_node_took_is_written_when_one_does(cluster: Cluster) -> None:
    for node_id in range(1, 7):
        cluster.switch(node_id).writes_left = 0 if node_id == 1 else 1
    chunk = publish(write_chunk(DATA, topology=cluster.topology))
    assert FragmentFault.objects.get().kind == FaultKind.MISSING
    for node_id in range(1, 7):
        cluster.switches[node_id].writes_left = None
    cluster.pass_time()
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert cluster.is_well(current_view(chunk))


def test_a_node_that_is_away_gets_time_to_come_back(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.break_nodes(chunk.node_ids[0])
    read_and_report(cluster, chunk)
    assert repair_faults(topology=cluster.topology) == RepairReport(postponed=1)
    assert current_view(chunk) == chunk
    cluster.mend_nodes(chunk.node_ids[0])
    make_due()
    assert repair_faults(topology=cluster.topology) == RepairReport(found_well=1)


def test_a_node_that_stays_away_is_given_up(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    gone = chunk.node_ids[0]
    cluster.break_nodes(gone)
    read_and_report(cluster, chunk)
    FragmentFault.objects.update(detected_at=timezone.now() - timedelta(hours=1))
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    moved = current_view(chunk)
    assert gone not in moved.node_ids
    assert len({(node_id + 1) // 2 for node_id in moved.node_ids}) == 3
    assert cluster.is_well(moved)


def test_two_of_six_nodes_burn_and_full_redundancy_comes_back(cluster: Cluster) -> None:
    chunks = [published(cluster, data) for data in (DATA, SMALL, DATA[: 200 * KIBIBYTE])]
    cluster.break_nodes(1, 4)
    cluster.set_state(1, NodeState.DOWN)
    cluster.set_state(4, NodeState.DOWN)
    for chunk in chunks:
        report_all(chunk, FaultKind.UNREACHABLE)
    report = repair_faults(topology=cluster.topology)
    assert report.postponed == 0
    for chunk in chunks:
        moved = current_view(chunk)
        assert not {1, 4} & set(moved.node_ids)
        assert cluster.is_well(moved)


def test_a_draining_nodes_lost_fragment_is_rebuilt_elsewhere(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    cluster.set_state(chunk.node_ids[0], NodeState.DRAINING)
    cluster.lose(chunk, 0)
    read_and_report(cluster, chunk)
    assert repair_faults(topology=cluster.topology).rebuilt == 1
    assert current_view(chunk).node_ids[0] != chunk.node_ids[0]


def test_too_many_losses_are_postponed_and_never_made_up(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.lose(chunk, 0, 1, 2)
    report_all(chunk)
    assert repair_faults(topology=cluster.topology) == RepairReport(found_well=3, postponed=3)
    assert "of 4" in FragmentFault.objects.order_by("fragment_index")[0].last_error
    assert current_view(chunk) == chunk


def test_fragments_that_disagree_with_the_chunks_checksum_are_not_spread(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    Chunk.objects.update(checksum=1)
    cluster.lose(chunk, 0)
    read_and_report(cluster, chunk)
    assert repair_faults(topology=cluster.topology) == RepairReport(postponed=1)
    assert not cluster.path_of(chunk, 0).exists()


def test_other_damage_met_on_the_way_is_recorded(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.lose(chunk, 0)
    cluster.flip_bit(chunk, 2, 200)
    record_faults([FaultRecord(chunk.id, 0, chunk.node_ids[0], FaultKind.MISSING)])
    assert repair_faults(limit=1, topology=cluster.topology) == RepairReport(rebuilt=1)
    assert FragmentFault.objects.get().fragment_index == 2
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert cluster.is_well(chunk)


def test_failures_are_tried_ever_less_often(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.lose(chunk, 0, 1, 2)
    report_all(chunk)
    delays = []
    for _ in range(12):
        make_due()
        repair_faults(topology=cluster.topology)
        fault = FragmentFault.objects.get(fragment_index=0)
        delays.append((fault.next_attempt_at - timezone.now()).total_seconds())
    assert [round(delay) for delay in delays] == sorted(round(delay) for delay in delays)
    assert delays[0] == pytest.approx(10, abs=2)
    assert delays[-1] == pytest.approx(3600, abs=2)


def test_reports_against_moved_fragments_and_gone_chunks_are_dropped(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    record_faults(
        [FaultRecord(chunk.id, 0, 99, FaultKind.MISSING), FaultRecord(new_chunk_id(), 0, 1, FaultKind.MISSING)]
    )
    record_faults([])
    assert not FragmentFault.objects.exists()


def test_a_known_fault_is_not_reported_twice(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    for _ in range(2):
        report_all(chunk)
    assert FragmentFault.objects.count() == 3


def test_recording_does_not_wait_for_a_repair_under_way(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    report_all(chunk)

    def record_elsewhere() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '3s'")
        report_all(chunk)
        connections.close_all()

    with transaction.atomic():
        list(Chunk.objects.select_for_update(no_key=True))
        list(FragmentFault.objects.select_for_update())
        reporter = threading.Thread(target=record_elsewhere)
        reporter.start()
        reporter.join(10)
        assert not reporter.is_alive()


def test_one_chunk_can_be_repaired_at_once(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.lose(chunk, 5)
    report_all(chunk)
    FragmentFault.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert repair_faults(topology=cluster.topology) == RepairReport()
    assert repair_chunk(chunk.id, topology=cluster.topology) == RepairReport(rebuilt=1, found_well=5)
    assert repair_chunk(new_chunk_id(), topology=cluster.topology) == RepairReport()


def test_a_chunk_in_other_hands_is_passed_over(cluster: Cluster) -> None:
    busy, free = published(cluster, SMALL), published(cluster, SMALL)
    for chunk in (busy, free):
        cluster.lose(chunk, 0)
        read_and_report(cluster, chunk)
    reports: list[RepairReport] = []

    def repair() -> None:
        reports.append(repair_faults(topology=cluster.topology))
        connections.close_all()

    with transaction.atomic():
        Chunk.objects.select_for_update().get(pk=busy.id)
        rival = threading.Thread(target=repair)
        rival.start()
        rival.join(10)
    assert reports == [RepairReport(rebuilt=1)]
    assert FragmentFault.objects.get().chunk_id == busy.id


def test_repairers_at_once_repair_each_chunk_once(cluster: Cluster) -> None:
    chunks = [published(cluster, SMALL) for _ in range(12)]
    for chunk in chunks:
        cluster.lose(chunk, 0, 2)
        report_all(chunk)
    reports: list[RepairReport] = []

    def repair() -> None:
        reports.append(repair_faults(topology=cluster.topology))
        connections.close_all()

    rivals = [threading.Thread(target=repair) for _ in range(4)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    repair_faults(topology=cluster.topology)
    assert all(cluster.is_well(chunk) for chunk in chunks)
    assert not FragmentFault.objects.exists()
    assert sum(report.rebuilt for report in reports) == 24


def test_a_repairer_killed_before_it_commits_leaves_the_row_and_can_be_repeated(cluster: Cluster) -> None:
    cluster.break_nodes(1)
    chunk = published(cluster, DATA)
    cluster.mend_nodes(1)
    cluster.switches[1].is_killed_after_write = True
    with pytest.raises(KeyboardInterrupt):
        repair_faults(topology=cluster.topology)
    cluster.switches[1].is_killed_after_write = False
    assert current_view(chunk) == chunk
    assert read_chunk(current_view(chunk), topology=cluster.topology) == DATA
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert cluster.is_well(current_view(chunk))


def test_a_chunk_deleted_before_its_turn_is_left_alone(cluster: Cluster) -> None:
    chunk = published(cluster, SMALL)
    report_all(chunk)
    Chunk.objects.all().delete()
    assert repair_faults(topology=cluster.topology) == RepairReport()


def test_rewriting_keeps_the_format_that_the_writer_makes(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    before = [cluster.path_of(chunk, index).read_bytes() for index in range(6)]
    cluster.lose(chunk, 0, 5)
    report_all(chunk)
    repair_faults(topology=cluster.topology)
    assert [cluster.path_of(chunk, index).read_bytes() for index in range(6)] == before


def test_what_a_handle_still_reads_of_a_disk_that_was_moved_away_is_rebuilt(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    gone = chunk.node_ids[2]
    record_faults([FaultRecord(chunk.id, 2, gone, FaultKind.UNREACHABLE)])
    FragmentFault.objects.update(detected_at=timezone.now() - timedelta(hours=1))
    probed = Topology(cluster.entries, cluster.topology.storage_classes, cluster.pool, unreachable_ids=[gone])
    assert cluster.is_well(chunk)
    report = repair_faults(topology=probed)
    assert (report.rebuilt + report.postponed, report.found_well) == (1, 0)
    assert gone not in current_view(chunk).node_ids
    assert cluster.is_well(current_view(chunk))
