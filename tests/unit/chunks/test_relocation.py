from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command

from chunks import topology as topologies
from chunks.models import Chunk, FragmentFault, Node, Relocation, Zone
from chunks.placement import NodeView, place_with_hand_off
from chunks.reader import read_chunk
from chunks.records import ChunkView, NodeState
from chunks.selectors import estimate_rebalance
from chunks.services import repair_faults
from chunks.services.relocation import OldCopies, plan_moves
from tests.unit.chunks.cluster import KIBIBYTE, Cluster
from tests.unit.chunks.rows import current_view, published
from workers import moving

pytestmark = pytest.mark.django_db(transaction=True)

DATA = random.Random(11).randbytes(140 * KIBIBYTE)


@pytest.fixture(autouse=True)
def nobody_writes_by_an_old_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drain end as soon as the node is empty."""
    monkeypatch.setattr("workers.moving.SETTLING_SECONDS", 0)


@contextmanager
def in_rows(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the rows say what the cluster says, and the process see the cluster."""
    for entry in cluster.entries:
        zone, _ = Zone.objects.get_or_create(id=entry.zone_id, defaults={"name": f"zone-{entry.zone_id}"})
        Node.objects.update_or_create(
            id=entry.id,
            defaults={
                "zone": zone,
                "name": entry.name,
                "location": entry.location,
                "identity": entry.identity,
                "state": entry.state,
            },
        )
    with monkeypatch.context() as patch:
        patch.setattr(topologies, "current", lambda: cluster.topology)
        patch.setattr(topologies, "refresh", lambda: cluster.topology)
        yield


def relocate(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, **arguments) -> moving.Moved:
    with in_rows(cluster, monkeypatch):
        return moving.relocate(mib_per_second=0, old_copy_seconds=0, **arguments)


def drain(cluster: Cluster, node_id: int) -> None:
    cluster.set_state(node_id, NodeState.DRAINING)


def assert_whole(cluster: Cluster, chunks: list[ChunkView]) -> None:
    for chunk in chunks:
        now = current_view(chunk)
        assert cluster.is_well(now)
        assert read_chunk(now, topology=cluster.topology) == DATA[: chunk.size_bytes]
    assert len(cluster.fragments()) == sum(len(chunk.node_ids) for chunk in chunks), "no old copy is left"


def zone_loads(cluster: Cluster, chunk: ChunkView) -> Counter[int]:
    zones = {entry.id: entry.zone_id for entry in cluster.entries}
    return Counter(zones[node_id] for node_id in chunk.node_ids)


def many(cluster: Cluster, count: int) -> list[ChunkView]:
    return [published(cluster, DATA if number % 2 else DATA[:500]) for number in range(count)]


def test_a_draining_node_is_emptied_and_nothing_else_moves(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 30)
    drain(cluster, 1)
    moved = relocate(cluster, monkeypatch)
    assert moved.fragments == sum(1 in chunk.node_ids for chunk in chunks) > 0
    for chunk in chunks:
        now = current_view(chunk).node_ids
        assert 1 not in now
        assert all(old in {new, 1} for old, new in zip(chunk.node_ids, now, strict=True))
        assert max(zone_loads(cluster, current_view(chunk)).values()) <= (2 if len(now) == 6 else 1)
    assert_whole(cluster, chunks)
    row = Relocation.objects.get()
    assert (row.outcome, row.moved_fragments) == ("done: the node is empty", moved.fragments)
    assert relocate(cluster, monkeypatch) == moving.Moved(), "nothing is left to do"


def test_rebalancing_after_a_drain_has_nothing_to_move(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    many(cluster, 30)
    drain(cluster, 1)
    relocate(cluster, monkeypatch)
    many(cluster, 10)
    assert estimate_rebalance(topology=cluster.topology).moves == 0


def test_damaged_fragments_of_a_draining_node_are_rebuilt_elsewhere(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = many(cluster, 6)
    hurt = [chunk for chunk in chunks if 1 in chunk.node_ids]
    cluster.flip_bit(hurt[0], hurt[0].node_ids.index(1), 150)
    drain(cluster, 1)
    assert relocate(cluster, monkeypatch).failed >= 1
    assert FragmentFault.objects.count() == 1
    assert repair_faults(topology=cluster.topology).rebuilt == 1
    relocate(cluster, monkeypatch)
    assert not Chunk.objects.filter(node_ids__contains=[1]).exists()
    assert Relocation.objects.get().outcome == "done: the node is empty"
    assert_whole(cluster, chunks)


def test_a_node_that_is_active_again_keeps_the_rest(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 6)
    drain(cluster, 1)
    with in_rows(cluster, monkeypatch):
        moving.chunk_services.begin_drains()
    cluster.set_state(1, NodeState.ACTIVE)
    assert relocate(cluster, monkeypatch).fragments == 0
    assert "not draining" in Relocation.objects.get().outcome
    assert_whole(cluster, chunks)


def test_full_nodes_take_nothing_and_the_drain_waits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 6)
    drain(cluster, 1)
    for node_id in range(2, 7):
        cluster.switch(node_id).free_bytes = 10
    cluster.pass_time()
    assert relocate(cluster, monkeypatch).fragments == 0
    assert Relocation.objects.get().finished_at is None
    for node_id in range(2, 7):
        cluster.switch(node_id).free_bytes = None
    cluster.pass_time()
    relocate(cluster, monkeypatch)
    assert Relocation.objects.get().finished_at is not None
    assert_whole(cluster, chunks)


@pytest.mark.parametrize(
    ("zone_sizes", "new_zone", "expected"),
    [((1, 1, 1, 1, 1, 1), 7, 1 / 7), ((2, 2, 2), 1, 1 / 9)],
    ids=["a seventh zone", "a third node of a zone"],
)
def test_a_seventh_node_gets_its_share_and_nothing_else_moves(
    tmp_path: Path, zone_sizes: tuple[int, ...], new_zone: int, expected: float
) -> None:
    """Two zones of 4+2 can't hold more than two fragments each, so a zone that grows takes no more than before."""
    before = [NodeView(entry.id, entry.zone_id) for entry in Cluster(tmp_path, zone_sizes).entries]
    after = [*before, NodeView(7, new_zone)]
    ids = {node.id for node in after}
    moved = taken = 0
    chance = random.Random(1)
    for _ in range(5000):
        chunk_id = UUID(int=chance.getrandbits(128))
        old = place_with_hand_off(chunk_id, 6, before, ids)
        new = place_with_hand_off(chunk_id, 6, after, ids)
        moved += sum(one != other for one, other in zip(old, new, strict=True))
        taken += new.count(7)
        zones = Counter(node.zone_id for node_id in new for node in after if node.id == node_id)
        assert max(zones.values()) <= 2
    assert moved / 30_000 == pytest.approx(expected, abs=0.02)
    assert taken / 30_000 == pytest.approx(expected, abs=0.02)


def test_rebalancing_brings_a_newcomer_its_share(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 40)
    newcomer = cluster.add_node(2)
    estimate = estimate_rebalance(topology=cluster.topology)
    assert estimate.nodes["node-7"][0] == 0 < estimate.nodes["node-7"][1]
    assert estimate.moves == sum(len(plan_moves(chunk, cluster.topology)) for chunk in chunks)
    with in_rows(cluster, monkeypatch):
        moving.chunk_services.begin_rebalance()
    moved = relocate(cluster, monkeypatch)
    assert moved.fragments == estimate.moves
    assert moved.size_bytes == estimate.move_bytes
    holders = Counter(node_id for chunk in chunks for node_id in current_view(chunk).node_ids)
    assert holders[newcomer] == estimate.nodes["node-7"][1]
    assert estimate_rebalance(topology=cluster.topology).moves == 0
    assert Relocation.objects.get().outcome == "done"
    assert_whole(cluster, chunks)


def test_a_rebalancing_can_be_limited_stopped_and_taken_up(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 20)
    cluster.add_node(1)
    moves = estimate_rebalance(topology=cluster.topology).moves
    monkeypatch.setattr("chunks.services.relocation.BATCH_SIZE", 1)
    with in_rows(cluster, monkeypatch):
        moving.chunk_services.begin_rebalance()
        moving.relocate(mib_per_second=0, old_copy_seconds=0, fragments_max=2)
        assert Relocation.objects.get().outcome == "the limit is reached"
        row = moving.chunk_services.begin_rebalance()
        assert row.pk != Relocation.objects.order_by("pk")[0].pk
        moving.relocate(mib_per_second=0, old_copy_seconds=0, seconds_max=0)
        call_command("rebalance", "--stop")
        row.refresh_from_db()
        assert row.outcome == "stopped"
    left = estimate_rebalance(topology=cluster.topology).moves
    assert 0 < left <= moves - 2
    assert_whole(cluster, chunks)


def test_a_chunk_is_rebalanced_wholly_or_not_at_all(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = many(cluster, 20)
    newcomer = cluster.add_node(3)
    cluster.switch(newcomer).broken = True
    with in_rows(cluster, monkeypatch):
        moving.chunk_services.begin_rebalance()
    assert relocate(cluster, monkeypatch).failed > 0
    assert "could not be moved" in Relocation.objects.get().outcome
    for chunk in chunks:
        assert newcomer not in current_view(chunk).node_ids
    assert_whole(cluster, chunks)


def test_killed_between_copy_and_commit_it_is_moved_the_next_time(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunks = many(cluster, 4)
    drain(cluster, 1)
    for node_id in range(2, 7):
        cluster.switch(node_id).is_killed_after_write = True
    with pytest.raises(KeyboardInterrupt):
        relocate(cluster, monkeypatch)
    assert [current_view(chunk) for chunk in chunks] == chunks
    for node_id in range(2, 7):
        cluster.switch(node_id).is_killed_after_write = False
    relocate(cluster, monkeypatch)
    assert_whole(cluster, chunks)


def test_old_copies_stay_for_readers_that_follow_the_row_as_it_was(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = published(cluster, DATA)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        cluster.pass_time(seconds)

    old = OldCopies(cluster.topology, clock=lambda: cluster.now, sleep=sleep)
    old.add(chunk.node_ids[0], cluster.path_of(chunk, 0).name)
    old.delete_due()
    assert cluster.path_of(chunk, 0).exists()
    old.delete_all()
    assert slept == [30.0]
    assert not cluster.path_of(chunk, 0).exists()


def test_the_commands_do_it_in_the_foreground(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chunks = many(cluster, 8)
    monkeypatch.setattr(moving, "OldCopies", lambda topology: OldCopies(topology, delay_seconds=0))
    with in_rows(cluster, monkeypatch):
        cluster.set_state(2, NodeState.DRAINING)
        call_command("drain_node", "node-2", "--unlimited")
        assert "done: the node is empty" in capsys.readouterr().out
        cluster.add_node(3)
    with in_rows(cluster, monkeypatch):
        call_command("rebalance", "--dry-run")
        assert "belong elsewhere" in capsys.readouterr().out
        call_command("rebalance", "--unlimited")
        assert capsys.readouterr().out.endswith("done\n")
        call_command("drain_node", "node-2")
        assert "holds no fragments" in capsys.readouterr().out
    assert_whole(cluster, chunks)
