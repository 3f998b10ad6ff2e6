from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chunks.models import FragmentFault, Garbage, NodeHealth
from chunks.records import FaultKind
from chunks.services import bring_back_future_times, create_default_topology, queue_lost_nodes, repair_faults
from tests.unit.chunks.cluster import Cluster
from tests.unit.chunks.rows import published

pytestmark = pytest.mark.django_db(transaction=True)
TOMORROW = timedelta(days=1)


def test_a_fault_that_was_met_while_the_clock_was_ahead_is_repaired_now(cluster: Cluster) -> None:
    chunk = published(cluster, bytes(300_000))
    cluster.lose(chunk, 2)
    later = timezone.now() + TOMORROW
    FragmentFault.objects.create(
        chunk_id=chunk.id, fragment_index=2, node_id=chunk.node_ids[2], kind=FaultKind.MISSING,
        next_attempt_at=later, detected_at=later,
    )  # fmt: skip
    assert repair_faults(topology=cluster.topology).rebuilt == 0
    assert bring_back_future_times() == 1
    assert repair_faults(topology=cluster.topology).rebuilt == 1
    assert cluster.is_well(chunk)


def test_what_is_put_off_by_the_right_clock_stays_so(cluster: Cluster) -> None:
    chunk = published(cluster, bytes(300_000))
    soon = timezone.now() + timedelta(hours=1)
    FragmentFault.objects.create(
        chunk_id=chunk.id, fragment_index=2, node_id=chunk.node_ids[2], kind=FaultKind.MISSING, next_attempt_at=soon
    )
    Garbage.objects.create(chunk_id=chunk.id, next_attempt_at=soon)
    assert bring_back_future_times() == 0
    Garbage.objects.update(next_attempt_at=soon + TOMORROW, asked_at=soon + TOMORROW)
    assert bring_back_future_times() == 1
    assert Garbage.objects.get().asked_at <= timezone.now()


def test_a_node_that_died_while_the_clock_was_ahead_is_lost_after_its_grace(tmp_path) -> None:
    create_default_topology(tmp_path)
    later = timezone.now() + TOMORROW
    NodeHealth.objects.create(node_id=_any_node(), unreachable_since=later, probed_at=later, faults_queued_at=later)
    assert queue_lost_nodes(grace_seconds=0).names == ()
    assert bring_back_future_times() == 1
    assert len(queue_lost_nodes(grace_seconds=0).names) == 1


def _any_node() -> int:
    from chunks.models import Node

    return Node.objects.order_by("id").values_list("id", flat=True)[0]
