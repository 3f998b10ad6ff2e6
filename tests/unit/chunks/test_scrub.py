from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from chunks import topology
from chunks.models import Chunk, FragmentFault
from chunks.records import ChunkView, FaultKind, NodeState
from chunks.services import ScrubReport, repair_faults, scrub_chunks
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import published

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(5).randbytes(300 * KIBIBYTE)
SMALL = DATA[:1000]


def scrub(cluster: Cluster, *, bytes_max: int = 1 << 30, chunks_max: int = 100) -> ScrubReport:
    return scrub_chunks(
        verified_before=timezone.now() - timedelta(hours=1),
        bytes_max=bytes_max,
        chunks_max=chunks_max,
        topology=cluster.topology,
    )


def age(chunk: ChunkView, hours: float = 2) -> datetime:
    verified_at = timezone.now() - timedelta(hours=hours)
    Chunk.objects.filter(pk=chunk.id).update(verified_at=verified_at)
    return verified_at


def kinds(chunk: ChunkView) -> dict[int, str]:
    return dict(FragmentFault.objects.filter(chunk_id=chunk.id).values_list("fragment_index", "kind"))


def test_what_is_well_is_verified_and_no_fault(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    age(chunk)
    report = scrub(cluster)
    assert (report.chunks, report.fragments, dict(report.faults)) == (1, 6, {})
    assert report.size_bytes == sum(path.stat().st_size for path in cluster.fragments())
    assert timezone.now() - Chunk.objects.get().verified_at < timedelta(minutes=1)
    assert scrub(cluster) == ScrubReport()


def test_what_was_just_written_counts_as_verified(cluster: Cluster) -> None:
    published(cluster, DATA)
    assert scrub(cluster) == ScrubReport()


@pytest.mark.parametrize("byte_offset", [0, 20, 60, 70, 400, 70_000])
def test_damage_anywhere_in_a_fragment_is_found(cluster: Cluster, byte_offset: int) -> None:
    chunk = published(cluster, DATA)
    age(chunk)
    cluster.flip_bit(chunk, 5, byte_offset)
    assert scrub(cluster).faults == {FaultKind.CORRUPT: 1}
    assert kinds(chunk) == {5: FaultKind.CORRUPT}


def test_everything_that_can_be_wrong_becomes_a_fault_and_is_repaired(cluster: Cluster) -> None:
    lost, cut, swapped, away = (published(cluster, data) for data in (DATA, DATA, DATA, SMALL))
    for chunk in (lost, cut, swapped, away):
        age(chunk)
    cluster.lose(lost, 0, 4)
    path = cluster.path_of(cut, 2)
    path.write_bytes(path.read_bytes()[:-1])
    cluster.path_of(swapped, 3).write_bytes(cluster.path_of(swapped, 1).read_bytes())
    assert scrub(cluster).faults == {FaultKind.MISSING: 2, FaultKind.CORRUPT: 2}
    assert kinds(lost) == {0: FaultKind.MISSING, 4: FaultKind.MISSING}
    assert kinds(cut) == {2: FaultKind.CORRUPT}
    assert kinds(swapped) == {3: FaultKind.CORRUPT}
    assert repair_faults(topology=cluster.topology).rebuilt == 4
    assert all(cluster.is_well(chunk) for chunk in (lost, cut, swapped, away))


def test_a_node_that_is_away_does_not_keep_the_scrub_from_the_others(cluster: Cluster) -> None:
    chunks = [published(cluster, SMALL) for _ in range(10)]
    for chunk in chunks:
        age(chunk)
    cluster.break_nodes(1)
    cluster.set_state(3, NodeState.DOWN)
    faults: dict[FaultKind, int] = dict(scrub(cluster).faults)
    assert faults == {FaultKind.UNREACHABLE: sum({1, 3} & set(chunk.node_ids) != set() for chunk in chunks) + sum(
        {1, 3} <= set(chunk.node_ids) for chunk in chunks
    )}  # fmt: skip
    assert scrub(cluster) == ScrubReport(), "all were looked at"


def test_the_longest_unread_is_first_and_a_batch_is_bounded(cluster: Cluster) -> None:
    chunks = [published(cluster, DATA) for _ in range(4)]
    for hours, chunk in enumerate(chunks, 2):
        age(chunk, hours)
    assert scrub(cluster, chunks_max=1).chunks == 1
    still_old = set(
        Chunk.objects.filter(verified_at__lt=timezone.now() - timedelta(hours=1)).values_list("pk", flat=True)
    )
    assert still_old == {chunk.id for chunk in chunks[:3]}
    assert scrub(cluster, bytes_max=1).chunks == 1
    assert scrub(cluster).chunks == 2


def test_a_chunk_in_other_hands_is_passed_over(cluster: Cluster) -> None:
    busy, free = published(cluster, SMALL), published(cluster, SMALL)
    before = age(busy)
    age(free)
    reports: list[ScrubReport] = []

    def scrub_elsewhere() -> None:
        reports.append(scrub(cluster))
        connections.close_all()

    with transaction.atomic():
        Chunk.objects.select_for_update().get(pk=busy.id)
        rival = threading.Thread(target=scrub_elsewhere)
        rival.start()
        rival.join(10)
    assert reports[0].chunks == 1
    assert Chunk.objects.get(pk=busy.id).verified_at == before


def test_the_command_verifies_everything_once(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology, "current", lambda: cluster.topology)
    chunks = [published(cluster, data) for data in (DATA, SMALL, SMALL)]
    cluster.lose(chunks[0], 1)
    output = StringIO()
    call_command("scrub", "--unlimited", stdout=output)
    assert "3 chunks, 12 fragments: 1 missing" in output.getvalue()
