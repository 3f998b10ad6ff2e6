"""Segments that are mostly dead, empty or left behind: what compaction, the collector and the sweep make of them."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from chunks.models import Chunk, Segment
from chunks.open_segment import Packed
from chunks.packing import Packer
from chunks.reader import fragment_size_bytes, read_chunk
from chunks.services import (
    compact_segments,
    count_segments,
    delete_empty_segments,
    process_packer,
    repack_chunks,
    seal_abandoned,
    sweep_orphans,
)
from chunks.services.segments import DatabaseRegistry
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import Cluster
from tests.unit.chunks.rows import current_view
from tests.unit.chunks.segments import BODIES, assert_whole, collect, packed, problems, settle, used_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_packer")]


def test_compaction_gives_room_back(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    before = used_bytes(cluster)
    kept = chunks[::5]
    Chunk.objects.exclude(pk__in=[chunk.id for chunk in kept]).delete()
    assert collect(cluster) == (len(kept), 1)
    assert used_bytes(cluster) == 3 * sum(fragment_size_bytes(chunk) for chunk in kept) < before / 4
    assert Segment.objects.count() == 1
    assert_whole(cluster, kept, BODIES[::5])


def test_what_is_mostly_alive_is_left_alone(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    Chunk.objects.filter(pk__in=[chunk.id for chunk in chunks[:10]]).delete()
    assert collect(cluster) == (0, 0)


def test_many_small_segments_become_one(cluster: Cluster) -> None:
    chunks = []
    for body in BODIES[:16]:
        chunks += packed(cluster, body)
        process_packer().close()
    settle()
    assert collect(cluster) == (16, 16)
    process_packer().close()
    settle()
    assert Segment.objects.count() == 1
    assert collect(cluster) == (0, 0)
    assert_whole(cluster, chunks, BODIES[:16])


def test_an_empty_segment_goes_when_nobody_can_be_reading_it_or_publishing_into_it(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES[:3])
    settle()  # two days ago
    reading = chunks[1]
    Chunk.objects.all().delete()
    count_segments()
    for sealed_grace, empty_grace in ((3 * 86_400, 0), (0, 60)):
        assert (
            delete_empty_segments(
                sealed_grace_seconds=sealed_grace, empty_grace_seconds=empty_grace, topology=cluster.topology
            )
            == 0
        )
        assert read_chunk(reading, topology=cluster.topology) == BODIES[1]
    Segment.objects.update(emptied_at=timezone.now() - timedelta(seconds=61))
    late = write_chunk(BODIES[0], topology=cluster.topology)
    Chunk.objects.create(
        id=late.id, size_bytes=1, scheme="replicate-3", node_ids=[1], checksum=0,
        segment_id=reading.segment_id, segment_offset=0,
    )  # fmt: skip
    assert delete_empty_segments(sealed_grace_seconds=0, empty_grace_seconds=60, topology=cluster.topology) == 0
    Chunk.objects.all().delete()
    assert delete_empty_segments(sealed_grace_seconds=0, empty_grace_seconds=60, topology=cluster.topology) == 1
    assert not cluster.path_of(reading, 0).exists()
    assert not Segment.objects.exists()


def test_a_segment_with_a_copy_out_of_reach_is_deleted_later(cluster: Cluster) -> None:
    chunk = packed(cluster, BODIES[0])[0]
    settle()
    Chunk.objects.all().delete()
    cluster.break_nodes(chunk.node_ids[1])
    assert collect(cluster) == (0, 0)
    assert Segment.objects.exists()
    cluster.mend_nodes(chunk.node_ids[1])
    assert collect(cluster) == (0, 1)
    assert cluster.fragments() == []


def test_the_open_segment_of_a_killed_process_is_sealed_by_its_age_and_collected(cluster: Cluster) -> None:
    chunk = packed(cluster, BODIES[0])[0]
    process_packer.cache_clear()  # the process is gone, and with it what it knew
    Chunk.objects.all().delete()
    assert seal_abandoned() == 0
    Segment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert seal_abandoned() == 1
    assert cluster.path_of(chunk, 0).exists()
    assert collect(cluster) == (0, 1)
    assert cluster.fragments() == []


def test_the_sweep_deletes_segments_that_no_row_names_and_no_others(cluster: Cluster) -> None:
    chunk = packed(cluster, BODIES[0])[0]
    stray = write_chunk(BODIES[1], topology=cluster.topology, packer=Packer(DatabaseRegistry())).as_view()
    Segment.objects.filter(pk=stray.segment_id).delete()
    elsewhere = next(node_id for node_id in range(1, 7) if node_id not in chunk.node_ids)
    copy = cluster.path_of(chunk, 0, elsewhere)
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(cluster.path_of(chunk, 0).read_bytes())
    later = timezone.now() + timedelta(days=2)
    assert sweep_orphans(grace_seconds=200_000, now=later, topology=cluster.topology).deleted == 0
    assert len(problems(cluster)) == 4
    assert sweep_orphans(grace_seconds=86_400, now=later, topology=cluster.topology).deleted == 4
    assert problems(cluster) == []
    assert read_chunk(chunk, topology=cluster.topology) == BODIES[0]


class KilledAfterwards(Packer):
    """A packer whose process is killed when all is durable, and before anybody knows."""

    def pack(self, *arguments: Any, **named: Any) -> Packed | None:
        super().pack(*arguments, **named)
        raise KeyboardInterrupt


def test_killed_while_chunks_are_repacked_they_stay_where_they_were(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    ids = [chunk.id for chunk in chunks]
    for switch in cluster.switches.values():
        switch.is_killed_after_write = True
    with pytest.raises(KeyboardInterrupt):
        repack_chunks(ids, topology=cluster.topology)
    for switch in cluster.switches.values():
        switch.is_killed_after_write = False
    with pytest.raises(KeyboardInterrupt):
        repack_chunks(ids, topology=cluster.topology, packer=KilledAfterwards(DatabaseRegistry()))
    assert [current_view(chunk) for chunk in chunks] == chunks
    assert_whole(cluster, chunks)
    settle()
    in_vain = Segment.objects.count() - 1
    assert in_vain > 0
    assert collect(cluster) == (0, in_vain)
    assert len(cluster.fragments()) == 3
    assert_whole(cluster, chunks)


def test_rivals_move_each_chunk_once(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    moved: list[int] = []

    def repack() -> None:
        packer = Packer(DatabaseRegistry())
        moved.append(len(repack_chunks([chunk.id for chunk in chunks], topology=cluster.topology, packer=packer).moved))
        connections.close_all()

    rivals = [threading.Thread(target=repack) for _ in range(3)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    assert sum(moved) >= len(chunks)
    assert_whole(cluster, chunks)


def test_readers_are_never_disturbed_by_compaction(cluster: Cluster) -> None:
    chunks = packed(cluster, *BODIES)
    settle()
    kept = chunks[::4]
    Chunk.objects.exclude(pk__in=[chunk.id for chunk in kept]).delete()
    stop, wrong, reads = threading.Event(), [], Counter[str]()

    def read() -> None:
        while not stop.is_set():
            for chunk, body in zip(kept, BODIES[::4], strict=True):
                if read_chunk(current_view(chunk), topology=cluster.topology) != body:
                    wrong.append(chunk.id)
                reads["all"] += 1
        connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    count_segments()
    assert compact_segments(settled_seconds=0, topology=cluster.topology) == len(kept)
    count_segments()
    delete_empty_segments(sealed_grace_seconds=0, empty_grace_seconds=3600, topology=cluster.topology)
    stop.set()
    reader.join()
    assert wrong == []
    assert reads["all"] > 0
    assert all(read_chunk(chunk, topology=cluster.topology) for chunk in kept), "the old place is still there"
