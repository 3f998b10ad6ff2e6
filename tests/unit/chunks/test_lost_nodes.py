from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from chunks.models import FragmentFault, Node, NodeHealth, Zone
from chunks.records import ChunkView, FaultKind, FaultRecord, NodeState
from chunks.services import LostNodes, RepairReport, queue_lost_nodes, record_faults, repair_faults
from chunks.services import lost_nodes as lost_nodes_module
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, published

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(7).randbytes(200 * KIBIBYTE)
SMALL = DATA[:100]


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    """The cluster, with rows for its nodes."""
    zones = {number: Zone.objects.create(id=number, name=f"zone-{number}") for number in (1, 2, 3)}
    for entry in cluster.entries:
        Node.objects.create(
            id=entry.id,
            zone=zones[entry.zone_id],
            name=entry.name,
            location=entry.location,
            identity=entry.identity,
        )
    return cluster


def mark_down(cluster: Cluster, *node_ids: int) -> None:
    for node_id in node_ids:
        cluster.set_state(node_id, NodeState.DOWN)
    Node.objects.filter(pk__in=node_ids).update(state=NodeState.DOWN)


def not_heard_of(node_id: int, seconds: float) -> None:
    NodeHealth.objects.update_or_create(
        node_id=node_id, defaults={"unreachable_since": timezone.now() - timedelta(seconds=seconds)}
    )


def test_while_all_nodes_are_there_nothing_is_queued(cluster: Cluster) -> None:
    published(cluster, DATA)
    not_heard_of(1, 60)
    assert queue_lost_nodes(grace_seconds=600) == LostNodes()
    assert not FragmentFault.objects.exists()


def test_what_was_on_nodes_that_are_down_is_whole_again_and_nobody_had_to_read(cluster: Cluster) -> None:
    chunks = [published(cluster, data) for data in (DATA, SMALL, DATA, SMALL)]
    held = sum(node_id in {1, 4} for chunk in chunks for node_id in chunk.node_ids)
    mark_down(cluster, 1, 4)
    assert queue_lost_nodes() == LostNodes(("node-1", "node-4"), held)
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=held)
    for chunk in chunks:
        moved = current_view(chunk)
        assert not {1, 4} & set(moved.node_ids)
        assert cluster.is_well(moved)


def test_a_node_that_does_not_answer_for_the_grace_period_is_lost(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    cluster.break_nodes(2)
    not_heard_of(2, 700)
    assert queue_lost_nodes(grace_seconds=600) == LostNodes(("node-2",), 1)
    repair_faults(topology=cluster.topology)
    moved = current_view(chunk)
    assert 2 not in moved.node_ids, "the grace period has passed already"
    assert cluster.is_well(moved)
    assert FragmentFault.objects.get().kind == FaultKind.MISPLACED, "it crowds its new node until there is a better one"


def test_a_walk_is_repeated_only_now_and_then(cluster: Cluster) -> None:
    published(cluster, DATA)
    mark_down(cluster, 1)
    assert queue_lost_nodes().queued == 1
    late = published(cluster, DATA)
    assert 1 not in late.node_ids
    FragmentFault.objects.all().delete()
    assert queue_lost_nodes() == LostNodes(("node-1",), 0)
    assert queue_lost_nodes(again_seconds=0).queued == 1


def test_batches_cover_every_chunk(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_nodes_module, "BATCH_SIZE", 3)
    chunks = [published(cluster, SMALL) for _ in range(10)]
    mark_down(cluster, 5)
    assert queue_lost_nodes().queued == sum(5 in chunk.node_ids for chunk in chunks)


def test_known_faults_are_left_as_they_are(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    index = chunk.node_ids.index(1)
    record_faults([FaultRecord(chunk.id, index, 1, FaultKind.CORRUPT, "bad block")])
    mark_down(cluster, 1)
    assert queue_lost_nodes().queued == 0
    assert FragmentFault.objects.get().last_error == "bad block"


def lose(cluster: Cluster, chunk: ChunkView, *indexes: int) -> None:
    cluster.lose(chunk, *indexes)
    record_faults([FaultRecord(chunk.id, index, chunk.node_ids[index], FaultKind.MISSING) for index in indexes])


def test_the_chunk_with_the_fewest_spare_fragments_is_repaired_first(cluster: Cluster) -> None:
    one_of_six, one_of_three, two_of_six, two_of_three = (
        published(cluster, data) for data in (DATA, SMALL, DATA, SMALL)
    )
    lose(cluster, one_of_six, 0)
    lose(cluster, one_of_three, 1)
    lose(cluster, two_of_six, 0, 1)
    lose(cluster, two_of_three, 0, 2)
    order = []
    while FragmentFault.objects.exists():
        before = set(FragmentFault.objects.values_list("chunk_id", flat=True))
        repair_faults(limit=1, topology=cluster.topology)
        order += before - set(FragmentFault.objects.values_list("chunk_id", flat=True))
    assert order == [two_of_six.id, two_of_three.id, one_of_six.id, one_of_three.id]


def test_a_round_of_repairs_ends_in_time(cluster: Cluster) -> None:
    for _ in range(3):
        lose(cluster, published(cluster, SMALL), 0)
    assert repair_faults(seconds_max=-1, topology=cluster.topology) == RepairReport()
    assert repair_faults(topology=cluster.topology) == RepairReport(rebuilt=3)
