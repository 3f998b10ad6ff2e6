from __future__ import annotations

import random

import pytest

from chunks.fragment_format import segment_name
from chunks.models import Chunk, Segment
from chunks.reader import read_chunk
from chunks.services import adopt_moved_fragments
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, published
from tests.unit.chunks.segments import packed

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(9).randbytes(200 * KIBIBYTE)


def move(cluster: Cluster, chunk, index: int) -> int:
    """Move a fragment to a node that holds none of the chunk, and tell the row nothing."""
    other = cluster.add_node(zone_id=1)
    source, target = cluster.path_of(chunk, index), cluster.path_of(chunk, index, node_id=other)
    target.parent.mkdir(parents=True)
    source.rename(target)
    return other


def test_a_row_follows_fragments_that_moved(cluster: Cluster) -> None:
    moved, untouched = published(cluster, DATA), published(cluster, DATA)
    first, second = move(cluster, moved, 0), move(cluster, moved, 4)
    assert adopt_moved_fragments(topology=cluster.topology) == 2
    assert current_view(moved).node_ids == (first, *moved.node_ids[1:4], second, *moved.node_ids[5:])
    assert current_view(untouched) == untouched
    assert cluster.is_well(current_view(moved))
    assert adopt_moved_fragments(topology=cluster.topology) == 0


def test_a_second_copy_of_a_fragment_that_is_in_its_place_changes_nothing(cluster: Cluster) -> None:
    chunk = published(cluster, DATA)
    other = move(cluster, chunk, 2)
    cluster.path_of(chunk, 2).write_bytes(cluster.path_of(chunk, 2, node_id=other).read_bytes())
    assert adopt_moved_fragments(topology=cluster.topology) == 0
    assert current_view(chunk) == chunk


def test_fragments_without_a_row_and_nodes_out_of_reach_are_passed_over(cluster: Cluster) -> None:
    chunk, gone = published(cluster, DATA), published(cluster, DATA)
    Chunk.objects.filter(pk=gone.id).delete()
    cluster.break_nodes(chunk.node_ids[0])
    assert adopt_moved_fragments(topology=cluster.topology) == 0
    assert current_view(chunk) == chunk


def move_copy(cluster: Cluster, segment: Segment, index: int) -> int:
    """Move a copy of a segment likewise."""
    other, home = cluster.add_node(zone_id=1), f"node-{segment.node_ids[index]}"
    source = next(cluster.root.glob(f"{home}/fragments/*/{segment_name(segment.id)}"))
    target = cluster.root / f"node-{other}" / source.relative_to(cluster.root / home)
    target.parent.mkdir(parents=True)
    source.rename(target)
    return other


def test_a_segment_and_the_chunks_in_it_follow_its_copies(cluster: Cluster) -> None:
    bodies = [b"one", b"two" * 1000]
    chunks = packed(cluster, *bodies)
    segment = Segment.objects.get(pk=chunks[0].segment_id)
    first, second = move_copy(cluster, segment, 1), move_copy(cluster, segment, 2)
    assert adopt_moved_fragments(topology=cluster.topology) == 2
    expected = [segment.node_ids[0], first, second]
    assert Segment.objects.get(pk=segment.id).node_ids == expected
    assert {tuple(row.node_ids) for row in Chunk.objects.all()} == {tuple(expected)}
    assert [read_chunk(current_view(chunk), topology=cluster.topology) for chunk in chunks] == bodies
    assert all(cluster.is_well(current_view(chunk)) for chunk in chunks)
    assert adopt_moved_fragments(topology=cluster.topology) == 0


def test_a_copy_too_many_of_a_segment_changes_nothing(cluster: Cluster) -> None:
    (chunk,) = packed(cluster, b"one")
    segment = Segment.objects.get(pk=chunk.segment_id)
    other = move_copy(cluster, segment, 0)
    cluster.path_of(chunk, 0).write_bytes(cluster.path_of(chunk, 0, node_id=other).read_bytes())
    assert adopt_moved_fragments(topology=cluster.topology) == 0
    assert current_view(chunk) == chunk
