from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction

from chunks.fragment_format import fragment_name
from chunks.models import Chunk
from chunks.services import SweepReport, sweep_orphans
from chunks.services import orphans as orphans_module
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import published

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(3).randbytes(200 * KIBIBYTE)
GRACE_SECONDS = 3600.0


def sweep(cluster: Cluster, after_seconds: float = 2 * GRACE_SECONDS, **options: int) -> SweepReport:
    now = datetime.now(UTC) + timedelta(seconds=after_seconds)
    return sweep_orphans(grace_seconds=GRACE_SECONDS, now=now, topology=cluster.topology, **options)


def test_what_chunks_refer_to_stays(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    assert sweep(cluster) == SweepReport(seen=6)
    assert cluster.is_well(chunk)


def test_what_nobody_published_goes_after_the_grace_period(cluster: Cluster) -> None:
    write_chunk(DATA, topology=cluster.topology)
    sizes = sum(path.stat().st_size for path in cluster.fragments())
    assert sweep(cluster, after_seconds=GRACE_SECONDS - 60) == SweepReport(seen=6)
    assert sweep(cluster) == SweepReport(seen=6, deleted=6, deleted_bytes=sizes)
    assert cluster.fragments() == []


def test_a_copy_on_a_node_that_the_row_does_not_name_goes(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    other = next(node_id for node_id in range(1, 7) if node_id != chunk.node_ids[0])
    stray = cluster.path_of(chunk, 0, other)
    stray.write_bytes(cluster.path_of(chunk, 0).read_bytes())
    assert sweep(cluster).deleted == 1
    assert not stray.exists()
    assert cluster.is_well(chunk)


def test_remains_of_killed_writes_go_and_foreign_files_stay(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    directory = cluster.path_of(chunk, 0).parent
    remains = directory / f"{fragment_name(chunk.id, 0)}.abcdef012345.tmp"
    foreign = directory / "README"
    for path in (remains, foreign):
        path.write_bytes(b"x")
    assert sweep(cluster, after_seconds=0).deleted == 0
    assert sweep(cluster).deleted == 1
    assert foreign.exists()
    assert not remains.exists()


def test_batches_are_bounded_and_complete(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans_module, "BATCH_SIZE", 2)
    chunk = published(cluster, DATA[:10])
    directory = cluster.path_of(chunk, 0).parent
    for number in range(7):
        (directory / f"{number:029x}{chunk.id.hex[-3:]}.0").write_bytes(b"x")
    assert sweep(cluster).deleted == 7
    assert cluster.is_well(chunk)


def test_parts_together_are_the_whole(cluster: Cluster) -> None:
    for _ in range(4):
        write_chunk(DATA[:10], topology=cluster.topology)
    assert sum(sweep(cluster, part=part, part_count=5).deleted for part in range(5)) == 12


def test_a_node_out_of_reach_is_left_for_another_time(cluster: Cluster) -> None:
    write_chunk(DATA, topology=cluster.topology)
    cluster.break_nodes(4)
    report = sweep(cluster)
    assert (report.deleted, report.unreachable_nodes) == (5, 1)


def test_what_a_repair_is_about_to_use_is_left_alone(cluster: Cluster) -> None:
    """The rival holds the chunk's row, as a repairer does, and has yet to say that the stray is in use."""
    chunk = published(cluster, DATA)
    other = next(node_id for node_id in range(1, 7) if node_id != chunk.node_ids[0])
    stray = cluster.path_of(chunk, 0, other)
    stray.write_bytes(cluster.path_of(chunk, 0).read_bytes())
    os.utime(stray, (0, 0))

    def run_sweep() -> None:
        sweep(cluster)
        connections.close_all()

    with transaction.atomic():
        row = Chunk.objects.select_for_update(no_key=True).get(pk=chunk.id)
        sweeper = threading.Thread(target=run_sweep)
        sweeper.start()
        sweeper.join(10)
        assert stray.exists()
        row.node_ids[0] = other
        row.save()
    cluster.path_of(chunk, 0).unlink()
    sweep(cluster)
    assert stray.exists()
