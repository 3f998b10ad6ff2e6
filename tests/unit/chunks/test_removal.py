from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from chunks.ids import new_chunk_id
from chunks.models import FragmentFault, Garbage
from chunks.records import FaultKind, FaultRecord, GarbageState
from chunks.services import answer_questions, delete_chunk_fragments, discard_chunks, record_faults, unlink_garbage
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import published

pytestmark = pytest.mark.django_db

DATA = random.Random(3).randbytes(200 * KIBIBYTE)


def queue_unlinking(cluster: Cluster) -> None:
    chunk = write_chunk(DATA, topology=cluster.topology)
    Garbage.objects.create(chunk_id=chunk.id, node_ids=list(chunk.node_ids), state=GarbageState.UNLINK)


def test_all_fragments_are_deleted(cluster: Cluster) -> None:
    chunk = write_chunk(DATA, topology=cluster.topology)
    assert delete_chunk_fragments(chunk.id, chunk.node_ids, topology=cluster.topology) == set()
    assert cluster.fragments() == []
    assert delete_chunk_fragments(chunk.id, chunk.node_ids, topology=cluster.topology) == set()


def test_nodes_out_of_reach_are_named_and_the_others_served(cluster: Cluster) -> None:
    chunk = write_chunk(DATA, topology=cluster.topology)
    cluster.break_nodes(2, 3)
    assert delete_chunk_fragments(chunk.id, chunk.node_ids, topology=cluster.topology) == {2, 3}
    assert len(cluster.fragments()) == 2


def test_a_node_that_is_no_more_holds_nothing(cluster: Cluster) -> None:
    assert delete_chunk_fragments(new_chunk_id(), [77, 78], topology=cluster.topology) == set()


def test_chunks_that_get_no_row_are_discarded(cluster: Cluster) -> None:
    cluster.break_nodes(1)
    written = [write_chunk(DATA, topology=cluster.topology) for _ in range(2)]
    cluster.break_nodes(2)
    discard_chunks(written, topology=cluster.topology)
    assert {path.relative_to(cluster.root).parts[0] for path in cluster.fragments()} <= {"node-2"}


def test_questions_are_answered(cluster: Cluster) -> None:
    referred, unreferred, not_asked = (published(cluster, DATA[:10]) for _ in range(3))
    for chunk in (referred, unreferred, not_asked):
        Garbage.objects.create(chunk_id=chunk.id)
    record_faults([FaultRecord(unreferred.id, 0, unreferred.node_ids[0], FaultKind.MISSING)])
    answer_questions(asked=[referred.id, unreferred.id], unreferenced={unreferred.id: unreferred.node_ids})
    assert set(Garbage.objects.values_list("chunk_id", "state")) == {
        (unreferred.id, GarbageState.UNLINK),
        (not_asked.id, GarbageState.QUESTION),
    }
    assert Garbage.objects.get(chunk_id=unreferred.id).node_ids == list(unreferred.node_ids)
    assert not FragmentFault.objects.exists()


def test_garbage_is_unlinked_in_batches(cluster: Cluster) -> None:
    for _ in range(5):
        queue_unlinking(cluster)
    Garbage.objects.create(chunk_id=new_chunk_id())
    assert [unlink_garbage(batch_size=3, topology=cluster.topology) for _ in range(3)] == [3, 2, 0]
    assert cluster.fragments() == []
    assert Garbage.objects.get().state == GarbageState.QUESTION


def test_garbage_on_a_node_out_of_reach_stays_queued(cluster: Cluster) -> None:
    for _ in range(3):
        queue_unlinking(cluster)
    cluster.break_nodes(2)
    assert unlink_garbage(topology=cluster.topology) == 0
    assert len(cluster.fragments()) == 3
    assert unlink_garbage(topology=cluster.topology) == 0, "not due yet"
    cluster.mend_nodes(2)
    Garbage.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert unlink_garbage(topology=cluster.topology) == 3
    assert cluster.fragments() == []
