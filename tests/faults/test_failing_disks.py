"""Disks in all their moods, by wrapper stores: full, failing, read-only, slow, forgetful. Seeded; the seed is printed.

Whatever a disk says, a write that was acknowledged is read as long as its scheme tolerates the losses, one that was refused
is nowhere to be found, and once the disks are well again everything is made whole and nothing is left over.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path

import pytest

from chunks.erasure import Buffer
from chunks.errors import ChunkError, NodeUnavailable, NoSpace
from chunks.fragment_format import SEGMENT_SUFFIX
from chunks.inspection import Inspected, inspect_chunks, inspect_nodes
from chunks.models import Chunk, FragmentFault
from chunks.packing import Packer
from chunks.reader import read_chunk
from chunks.records import ChunkView, FaultKind, FaultRecord
from chunks.services import record_faults, repair_faults, sweep_orphans
from chunks.services.segments import DatabaseRegistry
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import FragmentStore, SegmentFile
from chunks.topology import NodeEntry, Topology
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import Cluster, SwitchedSegment, SwitchedStore
from tests.unit.chunks.rows import current_view, publish

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SIZES = (1, 4_000, 60_000, 200_000, 1_100_000)
STEP_COUNT = 1500 if os.environ.get("OBJSTORE_TEST_SCALE") == "full" else 60


class Mood(Enum):
    """What a disk does to those who ask."""

    WELL = auto()
    FULL = auto()  # ENOSPC: nothing can be written, all else works
    READ_ONLY = auto()  # EROFS: nothing can be written or removed
    FAILING = auto()  # EIO: now and then, at anything
    DEAD = auto()  # EIO, always
    SLOW = auto()  # a hundredth of a second for everything


class MoodyStore(SwitchedStore):
    """A store whose disk has moods."""

    def __init__(self, store: FragmentStore, chance: random.Random) -> None:
        super().__init__(store)
        self.mood = Mood.WELL
        self.chance = chance

    def _check(self) -> None:
        if self.mood is Mood.DEAD or (self.mood is Mood.FAILING and self.chance.random() < 0.3):
            raise NodeUnavailable("Input/output error")
        if self.mood is Mood.SLOW:
            time.sleep(0.01)

    def _check_writable(self) -> None:
        self._check()
        if self.mood is Mood.FULL:
            raise NoSpace("No space left on device")
        if self.mood is Mood.READ_ONLY:
            raise NodeUnavailable("Read-only file system")

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        self._check_writable()
        commit = self._store.stage_fragment(name, buffers)

        def commit_or_fail() -> None:
            """Fail after the bytes were written: the sync is what says that they are not there."""
            try:
                self._check_writable()
            except ChunkError:
                commit()
                with suppress(ChunkError):
                    self._store.delete_fragment(name)
                raise
            commit()

        return commit_or_fail

    def delete_fragment(self, name: str) -> bool:
        self._check()
        if self.mood is Mood.READ_ONLY:
            raise NodeUnavailable("Read-only file system")
        return self._store.delete_fragment(name)

    def create_segment(self, name: str) -> SegmentFile:
        self._check_writable()
        return SwitchedSegment(self, self._store.create_segment(name))


class MoodyCluster(Cluster):
    """Six nodes in three zones, of which two at most are unwell at a time."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.chance = chance
        super().__init__(root)

    def _open(self, node: NodeEntry) -> FragmentStore:
        node_id = self._paths[node.location]
        if node_id not in self.switches:
            self.switches[node_id] = MoodyStore(LocalDisk(node.location, node.identity), self.chance)
        return self.switches[node_id]

    def change_moods(self) -> None:
        for node_id in range(1, 7):
            self.switch(node_id).mood = Mood.WELL  # type: ignore[attr-defined]
        for node_id in self.chance.sample(range(1, 7), self.chance.randrange(3)):
            self.switch(node_id).mood = self.chance.choice(list(Mood))  # type: ignore[attr-defined]
        self.pass_time(self.chance.choice((1, 30, 900)))

    def calm_down(self) -> None:
        for node_id in range(1, 7):
            self.switch(node_id).mood = Mood.WELL  # type: ignore[attr-defined]
        self.pass_time(100_000)


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("OBJSTORE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"OBJSTORE_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def cluster(tmp_path: Path, chance: random.Random) -> MoodyCluster:
    return MoodyCluster(tmp_path, chance)


def read(chunk: ChunkView, topology: Topology) -> bytes:
    faults: list[FaultRecord] = []
    try:
        return read_chunk(current_view(chunk), topology=topology, on_fault=faults.append)
    finally:
        record_faults(faults)


def test_whatever_disks_do_nothing_acknowledged_is_lost_and_nothing_refused_is_left(
    cluster: MoodyCluster, chance: random.Random
) -> None:
    packer = Packer(DatabaseRegistry())
    stored: dict[ChunkView, bytes] = {}
    refused = 0
    for step in range(STEP_COUNT):
        if step % 10 == 0:
            cluster.change_moods()
        if chance.random() < 0.5 or not stored:
            data = chance.randbytes(chance.choice(SIZES))
            try:
                stored[publish(write_chunk(data, topology=cluster.topology, packer=packer))] = data
            except ChunkError:
                refused += 1
        else:
            chunk = chance.choice(list(stored))
            assert read(chunk, cluster.topology) == stored[chunk], "two nodes may be unwell at a time"
        if step % 25 == 24:
            repair_faults(topology=cluster.topology, unreachable_grace_seconds=0)
    print(f"{len(stored)} chunks, {refused} writes refused, {FragmentFault.objects.count()} faults at the end")
    assert Chunk.objects.count() == len(stored)

    cluster.calm_down()
    make_whole(cluster)
    for chunk, data in stored.items():
        assert read(chunk, cluster.topology) == data
    assert FragmentFault.objects.count() == 0


def make_whole(cluster: Cluster) -> None:
    for _ in range(10):
        FragmentFault.objects.update(next_attempt_at=datetime.now(UTC) - timedelta(seconds=1))
        repair_faults(topology=cluster.topology, unreachable_grace_seconds=0, limit=10_000)
        if not FragmentFault.objects.exists():
            break
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    sweep_orphans(grace_seconds=0, now=tomorrow, topology=cluster.topology)
    assert [one.subject for one in inspect_chunks(Inspected(), is_deep=True, topology=cluster.topology)] == []
    assert [one.subject for one in inspect_nodes(Inspected(), written_before=tomorrow, topology=cluster.topology)] == []


def test_cut_and_flipped_fragments_are_never_read_and_all_found(cluster: MoodyCluster, chance: random.Random) -> None:
    packer = Packer(DatabaseRegistry())
    stored = {}
    for _ in range(20):
        data = chance.randbytes(chance.choice(SIZES))
        stored[publish(write_chunk(data, topology=cluster.topology, packer=packer))] = data
    hurt = 0
    for chunk in stored:
        if chunk.segment_id is not None:
            continue
        for index in chance.sample(range(len(chunk.node_ids)), 2):
            path = cluster.path_of(chunk, index)
            whole = bytearray(path.read_bytes())
            if chance.random() < 0.5:
                del whole[chance.randrange(len(whole)) :]
            else:
                whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            path.write_bytes(whole)
            hurt += 1
    segments = [path for path in cluster.root.glob(f"node-1/fragments/*/*{SEGMENT_SUFFIX}") if path.stat().st_size]
    for path in segments:  # one copy of each, anywhere in it
        whole = bytearray(path.read_bytes())
        whole[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(whole)
    for chunk, data in stored.items():
        assert read(chunk, cluster.topology) == data
    found = list(inspect_chunks(Inspected(), is_deep=True, topology=cluster.topology))
    assert len(found) >= hurt
    record_faults(
        FaultRecord(chunk.id, index, node_id, FaultKind.CORRUPT)
        for chunk in stored
        for index, node_id in enumerate(chunk.node_ids)
    )
    make_whole(cluster)
    for chunk, data in stored.items():
        assert read(chunk, cluster.topology) == data


def test_disks_that_are_exchanged_for_each_other_are_down_and_give_nothing_wrong(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    data = random.Random(3).randbytes(300_000)
    chunk = publish(write_chunk(data, topology=cluster.topology))
    (tmp_path / "node-1").rename(tmp_path / "other")
    (tmp_path / "node-2").rename(tmp_path / "node-1")
    (tmp_path / "other").rename(tmp_path / "node-2")
    for node_id, identity in ((1, cluster.entries[0].identity), (2, cluster.entries[1].identity)):
        with pytest.raises(NodeUnavailable, match="is node"):
            LocalDisk(tmp_path / f"node-{node_id}", identity)
    cluster.switches.clear()
    cluster.topology.report_failure(1)
    cluster.topology.report_failure(2)
    cluster.pass_time()
    assert read_chunk(chunk, topology=cluster.topology) == data
    written = write_chunk(data, topology=cluster.topology)
    assert not {1, 2} & set(written.node_ids)
