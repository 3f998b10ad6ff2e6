"""The sweep against uploads under way, with a clock that says that they are old."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import OperationalError, connections, transaction

from chunks.models import Chunk, Condemned, Segment
from chunks.services import condemning, sweep_orphans
from chunks.services.segments import delete_empty_segments
from chunks.writer import write_chunk
from tests.live.processes import wait_until
from tests.unit.chunks.cluster import Cluster
from tests.unit.objects.rows import add_bucket, put_version

pytestmark = pytest.mark.django_db(transaction=True)
DATA = bytes(300_000)


@pytest.fixture
def cluster(tmp_path) -> Cluster:
    return Cluster(tmp_path)


def sweep_tomorrow(cluster: Cluster) -> int:
    """Sweep with a clock that was set forward by two days."""
    later = datetime.now(UTC) + timedelta(days=2)
    return sweep_orphans(grace_seconds=86_400, now=later, topology=cluster.topology).deleted


def test_an_upload_whose_fragments_were_swept_is_refused_and_can_be_repeated(cluster: Cluster) -> None:
    bucket = add_bucket("b")
    written = write_chunk(DATA, topology=cluster.topology)
    assert sweep_tomorrow(cluster) == 6
    with pytest.raises(OperationalError, match="swept before it was published"):
        put_version(bucket, "k", [written])
    assert not Chunk.objects.exists()
    put_version(bucket, "k", [write_chunk(DATA, topology=cluster.topology)])
    assert sweep_tomorrow(cluster) == 0


def test_a_publisher_under_way_is_waited_for_and_keeps_its_fragments(cluster: Cluster) -> None:
    bucket = add_bucket("b")
    written = write_chunk(DATA, topology=cluster.topology)
    is_inserted, may_commit = threading.Event(), threading.Event()

    def publish() -> None:
        with transaction.atomic():
            put_version(bucket, "k", [written])
            is_inserted.set()
            may_commit.wait(60)
        connections.close_all()

    swept: list[int] = []

    def sweep() -> None:
        swept.append(sweep_tomorrow(cluster))
        connections.close_all()

    threads = [threading.Thread(target=publish), threading.Thread(target=sweep)]
    threads[0].start()
    assert is_inserted.wait(60)
    threads[1].start()
    wait_until(Condemned.objects.exists, "the sweep has condemned the chunk")
    assert swept == []
    may_commit.set()
    for thread in threads:
        thread.join(60)
    assert swept == [0]
    assert cluster.is_well(written.as_view())


def test_a_transaction_that_does_not_end_puts_the_sweep_off(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condemning.condemn, "__kwdefaults__", {**condemning.condemn.__kwdefaults__, "seconds_max": 0.1})
    bucket = add_bucket("b")
    write_chunk(DATA, topology=cluster.topology)
    is_begun, may_end = threading.Event(), threading.Event()

    def linger() -> None:
        with transaction.atomic():
            put_version(bucket, "other", [])
            is_begun.set()
            may_end.wait(60)
        connections.close_all()

    thread = threading.Thread(target=linger)
    thread.start()
    assert is_begun.wait(60)
    assert sweep_tomorrow(cluster) == 0
    may_end.set()
    thread.join(60)
    assert sweep_tomorrow(cluster) == 6


def test_what_was_condemned_is_forgotten_after_a_month(cluster: Cluster) -> None:
    write_chunk(DATA, topology=cluster.topology)
    sweep_tomorrow(cluster)
    assert Condemned.objects.count() == 1
    Condemned.objects.update(condemned_at=datetime.now(UTC) - timedelta(days=31))
    sweep_tomorrow(cluster)
    assert not Condemned.objects.exists()


def test_a_segment_that_is_gone_takes_no_chunk(cluster: Cluster) -> None:
    bucket, yesterday = add_bucket("b"), datetime.now(UTC) - timedelta(days=1)
    segment = Segment.objects.create(
        storage_class="STANDARD", scheme="replicate-3", node_ids=[1, 3, 5], sealed_at=yesterday, emptied_at=yesterday
    )
    written = write_chunk(b"small", topology=cluster.topology)
    deleted = delete_empty_segments(sealed_grace_seconds=60, empty_grace_seconds=60, topology=cluster.topology)
    assert deleted == 1
    assert condemning.is_condemned(segment.pk)
    with pytest.raises(OperationalError, match="swept before it was published"):
        put_version(bucket, "k", [written], segment_id=segment.pk)


def test_a_publisher_that_began_while_the_condemning_was_committing_is_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = add_bucket("b")
    written = write_chunk(DATA, topology=cluster.topology)
    is_inserted, may_commit = threading.Event(), threading.Event()

    def publish() -> None:
        with transaction.atomic():
            put_version(bucket, "k", [written])
            is_inserted.set()
            may_commit.wait(60)
        connections.close_all()

    publisher = threading.Thread(target=publish)
    # The condemning transaction has its number before the publisher has one, and is committed after the publisher looked.
    with transaction.atomic():
        Condemned.objects.create(id=written.id)
        publisher.start()
        assert is_inserted.wait(60)
    monkeypatch.setattr(condemning, "_CONDEMN", "SELECT %s")
    assert not condemning.condemn([written.id], seconds_max=0.1)
    may_commit.set()
    publisher.join(60)
    assert condemning.condemn([written.id])


def test_a_segment_that_a_rival_is_deleting_stays_condemned(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    segment = Segment.objects.create(
        storage_class="STANDARD", scheme="replicate-3", node_ids=[1, 3, 5], sealed_at=yesterday, emptied_at=yesterday
    )
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Segment.objects.select_for_update().get(pk=segment.pk)
            is_locked.set()
            may_end.wait(60)
        connections.close_all()

    rival = threading.Thread(target=hold)

    def condemn_and_be_overtaken(ids: Collection[UUID], *, using: str) -> bool:
        is_condemned = condemning.condemn(ids, using=using)
        rival.start()
        assert is_locked.wait(60)
        return is_condemned

    monkeypatch.setattr("chunks.services.segments.condemn", condemn_and_be_overtaken)
    assert not delete_empty_segments(sealed_grace_seconds=60, empty_grace_seconds=60, topology=cluster.topology)
    may_end.set()
    rival.join(60)
    assert condemning.is_condemned(segment.pk)


def test_a_segment_that_has_moved_takes_no_chunk(cluster: Cluster) -> None:
    bucket = add_bucket("b")
    written = write_chunk(b"small", topology=cluster.topology)
    segment = Segment.objects.create(storage_class="STANDARD", scheme="replicate-3", node_ids=list(written.node_ids))
    put_version(bucket, "k", [written], segment_id=segment.pk)
    Segment.objects.update(node_ids=[*written.node_ids[1:], 7])
    late = write_chunk(b"small", topology=cluster.topology)
    with pytest.raises(OperationalError, match="moved before it was published"):
        put_version(bucket, "late", [late], segment_id=segment.pk)
