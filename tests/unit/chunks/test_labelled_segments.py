"""Small chunks of classes that ask for nodes with a label: packed, repaired, compacted and moved among those alone."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from dataclasses import replace

import pytest

from chunks.models import Chunk, FragmentFault, Segment
from chunks.reader import read_chunk
from chunks.records import ChunkView, FaultKind, FaultRecord, NodeState
from chunks.services import (
    begin_rebalance,
    compact_segments,
    count_segments,
    process_packer,
    record_faults,
    repair_faults,
)
from chunks.topology import StorageClassEntry, Topology
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, MEBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, publish
from tests.unit.chunks.segments import settle
from tests.unit.chunks.test_relocation import in_rows, relocate

pytestmark = pytest.mark.django_db(transaction=True)

BODIES = [random.Random(number).randbytes(900 + number) for number in range(12)]


@pytest.fixture(autouse=True)
def own_packer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    process_packer.cache_clear()
    monkeypatch.setattr("workers.moving.SETTLING_SECONDS", 0)
    yield
    process_packer.cache_clear()


class Labelled(Cluster):
    """A cluster with a class beside STANDARD whose fragments lie on nodes labelled hot."""

    hot: frozenset[int] = frozenset({1, 3, 4, 5})

    def _snapshot(self) -> Topology:
        self.entries = [
            replace(entry, labels=frozenset({"hot"} if entry.id in self.hot else ())) for entry in self.entries
        ]
        classes = [
            StorageClassEntry("STANDARD", 8 * MEBIBYTE, "replicate-3", "rs-4+2", 128 * KIBIBYTE),
            StorageClassEntry("HOT", 8 * MEBIBYTE, "replicate-3", "rs-4+2", 128 * KIBIBYTE, node_label="hot"),
        ]
        return Topology(self.entries, classes, self.pool)

    def label(self, *node_ids: int) -> None:
        self.hot = frozenset(node_ids)
        self.topology = self._snapshot()


@pytest.fixture
def labelled(cluster: Cluster) -> Labelled:
    return Labelled(cluster.root / "labelled")


def pack(cluster: Cluster, storage_class: str) -> list[ChunkView]:
    chunks = [
        publish(write_chunk(body, storage_class=storage_class, topology=cluster.topology, packer=process_packer()))
        for body in BODIES
    ]
    assert all(chunk.is_packed for chunk in chunks)
    return chunks


def nodes_of(chunks: Collection[ChunkView]) -> set[int]:
    return {node_id for chunk in chunks for node_id in current_view(chunk).node_ids}


def assert_whole(cluster: Cluster, chunks: list[ChunkView]) -> None:
    for chunk, body in zip(chunks, BODIES, strict=True):
        assert cluster.is_well(current_view(chunk))
        assert read_chunk(current_view(chunk), topology=cluster.topology) == body
    assert not FragmentFault.objects.exists()


def test_segments_of_a_class_lie_on_nodes_with_its_label_and_stay_there(labelled: Labelled) -> None:
    hot, others = pack(labelled, "HOT"), pack(labelled, "STANDARD")
    assert nodes_of(hot) <= labelled.hot
    assert {chunk.segment_id for chunk in hot}.isdisjoint({chunk.segment_id for chunk in others})
    settle()
    # A copy is lost with its node: the one place that is left takes it.
    left = hot[0].node_ids[0]
    labelled.path_of(hot[0], 0).unlink()
    labelled.set_state(left, NodeState.DRAINING)
    record_faults([FaultRecord(hot[0].id, 0, left, FaultKind.MISSING)])
    repair_faults(topology=labelled.topology)
    assert nodes_of(hot) == labelled.hot - {left}
    assert_whole(labelled, hot)
    # What is alive is compacted.
    Chunk.objects.filter(pk__in=[chunk.id for chunk in hot[:-2]]).delete()
    count_segments()
    assert compact_segments(settled_seconds=0, topology=labelled.topology) == 2
    assert nodes_of(hot[-2:]) <= labelled.hot
    assert all(labelled.is_well(current_view(chunk)) for chunk in hot[-2:])


def test_a_rebalancing_follows_the_labels(labelled: Labelled, monkeypatch: pytest.MonkeyPatch) -> None:
    hot, others = pack(labelled, "HOT"), pack(labelled, "STANDARD")
    before = nodes_of(others)
    settle()
    labelled.label(2, 4, 6)
    with in_rows(labelled, monkeypatch):
        begin_rebalance()
    assert relocate(labelled, monkeypatch).failed == 0
    assert nodes_of(hot) == {2, 4, 6}
    assert nodes_of(others) == before
    assert {current_view(chunk).segment_id for chunk in hot} == {hot[0].segment_id}, "moved as a whole"
    assert_whole(labelled, hot)
    assert_whole(labelled, others)


def test_a_chunk_that_went_to_another_class_leaves_the_segment_that_stays(
    labelled: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled.label(1, 2, 3, 4, 5, 6)  # both classes keep their bytes alike, so that a transition moves none
    chunks = pack(labelled, "STANDARD")
    settle()
    gone, stayed = chunks[:3], chunks[3:]
    Chunk.objects.filter(pk__in=[chunk.id for chunk in gone]).update(storage_class="HOT")
    home = nodes_of(stayed)
    labelled.label(*sorted({1, 2, 3, 4, 5, 6} - home))
    with in_rows(labelled, monkeypatch):
        begin_rebalance()
    assert relocate(labelled, monkeypatch).failed == 0
    assert nodes_of(gone) <= labelled.hot
    assert nodes_of(stayed) == home
    assert {current_view(chunk).segment_id for chunk in stayed} == {chunks[0].segment_id}
    assert_whole(labelled, chunks)
    assert Segment.objects.count() == 2
