"""Segments whose copies are damaged, missing or to be moved."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chunks.models import Chunk, FragmentFault, Segment
from chunks.packing import Packer
from chunks.placement import NodeView, place_fragments
from chunks.reader import fragment_size_bytes, read_chunk
from chunks.records import PACKED_BYTES_SQL, FaultKind, NodeState
from chunks.services import (
    RepairReport,
    count_segments,
    process_packer,
    queue_lost_nodes,
    repair_faults,
    scrub_chunks,
    sweep_orphans,
)
from chunks.services.segments import DatabaseRegistry
from chunks.writer import write_chunk
from journal.databases import connect
from tests.unit.chunks.cluster import Cluster
from tests.unit.chunks.rows import current_view, publish
from tests.unit.chunks.segments import BODIES, DATA, assert_whole, packed, report, settle
from tests.unit.chunks.test_relocation import drain, in_rows, relocate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_packer")]


def test_sizes_in_sql_are_those_of_the_format(cluster: Cluster) -> None:
    for chunk in packed(cluster, b"x", bytes(65_536)):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {PACKED_BYTES_SQL} FROM chunks_chunk c WHERE c.id = %s", [chunk.id])
            assert cursor.fetchone() == (fragment_size_bytes(chunk),)


def test_a_segment_has_a_row_while_it_is_written(cluster: Cluster) -> None:
    chunk = packed(cluster, *BODIES)[0]
    row = Segment.objects.get()
    assert (row.id, tuple(row.node_ids), row.sealed_at) == (chunk.segment_id, chunk.node_ids, None)
    process_packer().close()
    row.refresh_from_db()
    assert row.sealed_at is not None
    assert row.size_bytes == cluster.path_of(chunk, 0).stat().st_size


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_fragment_that_is_damaged_in_one_copy_moves_to_another_segment(cluster: Cluster, *, is_settled: bool) -> None:
    chunks = packed(cluster, *BODIES)
    cluster.flip_bit(chunks[3], 1, 90)
    report(chunks[3], 1)
    if is_settled:
        settle()
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert current_view(chunks[3]) != chunks[3]
    assert_whole(cluster, chunks)


def test_a_missing_copy_is_written_anew_once_for_all_chunks_in_it(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    before = cluster.path_of(chunks[0], 2).read_bytes()
    cluster.path_of(chunks[0], 2).unlink()
    for chunk in chunks:
        report(chunk, 2)
    assert repair_faults(limit=1, topology=cluster.topology) == RepairReport(rebuilt=1)
    assert [current_view(chunk) for chunk in chunks] == chunks
    assert cluster.path_of(chunks[0], 2).read_bytes() == before
    assert_whole(cluster, chunks)


def test_a_copy_is_not_written_down_while_a_chunk_in_it_is_in_other_hands(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES[:3])
    settle()
    cluster.lose(chunks[0], 1)
    cluster.set_state(chunks[0].node_ids[1], NodeState.DRAINING)
    for chunk in chunks:
        report(chunk, 1)
    with connect() as collector:
        collector.execute("BEGIN")
        collector.execute("SELECT FROM chunks_chunk WHERE id = %s FOR UPDATE", [chunks[2].id])
        repair_faults(topology=cluster.topology)
        collector.execute("COMMIT")
    FragmentFault.objects.update(next_attempt_at=timezone.now())
    repair_faults(topology=cluster.topology)
    count_segments()
    sweep_orphans(grace_seconds=-60, topology=cluster.topology)
    assert_whole(cluster, chunks, BODIES[:3])


def test_a_missing_copy_of_a_segment_that_is_still_written_is_no_reason_to_wait(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES[:5])
    cluster.path_of(chunks[0], 0).unlink()
    for chunk in chunks:
        report(chunk, 0)
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=5)
    assert {current_view(chunk).segment_id for chunk in chunks}.isdisjoint({chunks[0].segment_id})
    assert all(cluster.is_well(current_view(chunk)) for chunk in chunks)


def test_a_copy_on_a_lost_node_is_rebuilt_on_another(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    lost = chunks[0].node_ids[0]
    cluster.break_nodes(lost)
    cluster.set_state(lost, NodeState.DOWN)
    with in_rows(cluster, monkeypatch):
        assert queue_lost_nodes().queued == len(chunks)
        assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert lost not in Segment.objects.get().node_ids
    assert {tuple(Segment.objects.get().node_ids)} == {tuple(current_view(chunk).node_ids) for chunk in chunks}
    assert_whole(cluster, chunks)
    assert len({(node_id + 1) // 2 for node_id in current_view(chunks[0]).node_ids}) == 3


def test_what_is_damaged_in_all_copies_is_taken_along_and_stays_a_fault(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    for index in range(3):
        cluster.flip_bit(chunks[7], index, 200)
    cluster.path_of(chunks[0], 2).unlink()
    report(chunks[0], 2)
    repair_faults(topology=cluster.topology)
    assert {fault.chunk_id for fault in FragmentFault.objects.all()} == {chunks[7].id}
    for chunk, body in zip(chunks, BODIES, strict=True):
        if chunk != chunks[7]:
            assert read_chunk(chunk, topology=cluster.topology) == body
    with cluster.path_of(chunks[7], 2).open("rb") as file:
        file.seek(chunks[7].segment_offset or 0)
        kept = file.read(fragment_size_bytes(chunks[7]))[72:]
    assert sum(one != two for one, two in zip(kept, BODIES[7], strict=True)) == 1


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_node_with_segments_is_drained(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, *, is_settled: bool
) -> None:
    chunks = packed(cluster, *BODIES)
    if is_settled:
        settle()
    left = chunks[0].node_ids[1]
    drain(cluster, left)
    moved = relocate(cluster, monkeypatch)
    assert (moved.fragments, moved.failed) == (len(chunks), 0)
    assert not Chunk.objects.filter(node_ids__contains=[left]).exists()
    if is_settled:
        assert not cluster.path_of(chunks[0], 1).exists()
        assert {current_view(chunk).segment_id for chunk in chunks} == {chunks[0].segment_id}
    assert_whole(cluster, chunks)


def test_a_segment_into_which_a_slow_upload_may_yet_publish_stays_where_it_is(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = packed(cluster, BODIES[0])[0]
    late = write_chunk(BODIES[1], topology=cluster.topology, packer=process_packer())
    assert late.segment_id == early.segment_id
    process_packer().close()
    Segment.objects.update(sealed_at=timezone.now() - timedelta(hours=12))
    left = early.node_ids[1]
    drain(cluster, left)
    assert relocate(cluster, monkeypatch).failed == 0
    assert_whole(cluster, [early, publish(late)], BODIES[:2])


def test_a_new_node_gets_its_share_of_segments(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster(cluster.root / "equal", zone_sizes=(1, 1, 1, 1, 1, 1))
    packer = Packer(DatabaseRegistry(), segment_bytes_max=2000)
    chunks = [
        publish(write_chunk(body, topology=cluster.topology, packer=packer))
        for body in [DATA[start : start + 900] for start in range(240)]
    ]
    packer.close()
    settle()
    newcomer = cluster.add_node(7)
    nodes = [NodeView(number, number) for number in range(1, 8)]
    expected = sum(newcomer in place_fragments(chunk.placement_id, 3, nodes) for chunk in chunks)
    with in_rows(cluster, monkeypatch):
        from chunks.services import begin_rebalance

        begin_rebalance()
    moved = relocate(cluster, monkeypatch)
    held = Counter(node_id for chunk in chunks for node_id in current_view(chunk).node_ids)
    assert moved.fragments == held[newcomer] == expected > 0
    assert_whole(cluster, chunks, [DATA[start : start + 900] for start in range(240)])


def test_killed_before_a_new_copy_is_written_down_nothing_has_changed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    drain(cluster, chunks[0].node_ids[0])
    for node_id in range(1, 7):
        cluster.switch(node_id).is_killed_after_write = True
    with pytest.raises(KeyboardInterrupt):
        relocate(cluster, monkeypatch)
    for switch in cluster.switches.values():
        switch.is_killed_after_write = False
    assert [current_view(chunk) for chunk in chunks] == chunks
    sweep_orphans(grace_seconds=0, now=timezone.now() + timedelta(seconds=1), topology=cluster.topology)
    assert_whole(cluster, chunks)
    relocate(cluster, monkeypatch)
    assert_whole(cluster, chunks)


def test_a_chunk_whose_row_names_other_nodes_than_its_segment_follows_it(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES[:4])
    settle()
    wrong_nodes = [*chunks[0].node_ids[1:], next(n for n in range(1, 7) if n not in chunks[0].node_ids)]
    Chunk.objects.filter(pk=chunks[0].id).update(node_ids=wrong_nodes)
    scrubbed = scrub_chunks(verified_before=timezone.now(), bytes_max=1 << 30, topology=cluster.topology)
    assert scrubbed.faults == {FaultKind.MISSING: 1, FaultKind.MISPLACED: 2}
    assert repair_faults(topology=cluster.topology) == RepairReport(found_well=3)
    assert current_view(chunks[0]) == chunks[0]
    assert_whole(cluster, chunks, BODIES[:4])


def test_a_chunk_that_a_new_copy_of_its_segment_was_made_without_moves_to_another(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES[:4])
    settle()
    late = Chunk.objects.get(pk=chunks[1].id)
    Chunk.objects.filter(pk=late.pk).delete()  # published when the copy is written already
    cluster.path_of(chunks[0], 2).unlink()
    cluster.set_state(chunks[0].node_ids[2], NodeState.DRAINING)
    report(chunks[0], 2)
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert current_view(chunks[0]).node_ids != chunks[0].node_ids
    late.save(force_insert=True)
    report(current_view(chunks[1]), 2)
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=1)
    assert current_view(chunks[1]).segment_id != chunks[1].segment_id
    assert_whole(cluster, chunks, BODIES[:4])
