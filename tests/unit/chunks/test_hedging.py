"""Nodes that are late, hang or flap, seen by those who read."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import pytest

from chunks import hedging as hedging_module
from chunks.errors import NotEnoughFragments
from chunks.hedging import Hedging, Race
from chunks.reader import read_chunk, read_chunk_range
from chunks.records import ChunkView, FaultRecord
from chunks.writer import write_chunk
from tests.unit.chunks.cluster import KIBIBYTE, MEBIBYTE, Cluster

SMALL = random.Random(1).randbytes(100 * KIBIBYTE)
LARGE = random.Random(2).randbytes(8 * MEBIBYTE)
LONG_SECONDS = 30.0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging disk waits for; opened at the end, so that no thread stays."""
    event = threading.Event()
    yield event
    event.set()


def written(cluster: Cluster, data: bytes) -> ChunkView:
    return write_chunk(data, topology=cluster.topology).as_view()


def hang(cluster: Cluster, gate: threading.Event, *node_ids: int) -> None:
    for node_id in node_ids:
        cluster.switch(node_id).stall = lambda: gate.wait(LONG_SECONDS)


def make_wait(cluster: Cluster) -> None:
    """Let every read count as one that the page cache does not answer."""
    for node in cluster.entries:
        if cluster.switch(node.id).stall is None:
            cluster.switch(node.id).stall = lambda: None


def timed_read(cluster: Cluster, chunk: ChunkView) -> tuple[bytes, float, list[FaultRecord]]:
    faults: list[FaultRecord] = []
    started_at = time.monotonic()
    data = read_chunk(chunk, on_fault=faults.append, topology=cluster.topology)
    return data, time.monotonic() - started_at, faults


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["copies", "4+2"])
def test_a_read_from_a_hanging_node_is_answered_by_the_others(
    cluster: Cluster, gate: threading.Event, data: bytes
) -> None:
    chunk = written(cluster, data)
    make_wait(cluster)
    hang(cluster, gate, chunk.node_ids[0])
    answer, seconds, faults = timed_read(cluster, chunk)
    assert answer == data
    assert seconds < LONG_SECONDS / 2
    assert faults == [], "late is not damaged"


def test_two_hanging_nodes_are_survived_like_two_lost_ones(cluster: Cluster, gate: threading.Event) -> None:
    chunk = written(cluster, LARGE)
    make_wait(cluster)
    hang(cluster, gate, chunk.node_ids[0], chunk.node_ids[1])
    answer, seconds, _ = timed_read(cluster, chunk)
    assert answer == LARGE
    assert seconds < LONG_SECONDS / 2


def test_three_hanging_nodes_of_six_are_too_many_and_said_so_in_time(
    cluster: Cluster, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chunks.reader.LAST_RESORT_SECONDS", 0.5)
    chunk = written(cluster, LARGE)
    hang(cluster, gate, *chunk.node_ids[:3])
    with pytest.raises(NotEnoughFragments, match="no answer"):
        read_chunk(chunk, topology=cluster.topology)


def test_a_hanging_node_is_set_aside_and_holds_few_threads(cluster: Cluster, gate: threading.Event) -> None:
    chunks = [written(cluster, SMALL) for _ in range(20)]
    node_id = chunks[0].node_ids[0]
    chunks = [chunk for chunk in chunks if chunk.node_ids[0] == node_id] + chunks[:1] * 6
    make_wait(cluster)
    hang(cluster, gate, node_id)
    for chunk in chunks:
        assert read_chunk(chunk, topology=cluster.topology) == SMALL
    assert len(cluster.switch(node_id).reads) <= hedging_module.LATE_IN_A_ROW_MAX
    assert cluster.topology.is_slow(node_id)
    assert node_id not in cluster.topology.usable_for_writing()


def test_a_node_that_hung_comes_back_by_itself(cluster: Cluster, gate: threading.Event) -> None:
    chunk = written(cluster, SMALL)
    node_id = chunk.node_ids[0]
    make_wait(cluster)
    hang(cluster, gate, node_id)
    for _ in range(hedging_module.LATE_IN_A_ROW_MAX):
        read_chunk(chunk, topology=cluster.topology)
    gate.set()
    cluster.switch(node_id).stall = None
    assert cluster.topology.is_slow(node_id)
    cluster.pass_time(10.5)
    cluster.switch(node_id).reads.clear()
    assert read_chunk(chunk, topology=cluster.topology) == SMALL
    assert len(cluster.switch(node_id).reads) == 1, "one read tries it"
    cluster.pass_time(2)
    assert read_chunk(chunk, topology=cluster.topology) == SMALL
    assert len(cluster.switch(node_id).reads) == 2, "and all do afterwards"


def test_races_are_a_twentieth_of_the_reads_that_wait() -> None:
    now = [0.0]
    hedging = Hedging(clock=lambda: now[0])
    while hedging.may_race():
        pass
    raced = 0
    for token in range(1_000):
        hedging.end(1, token, hedging.begin(1, token))
        raced += hedging.may_race()
    assert raced == pytest.approx(50, abs=1)


def test_patience_follows_what_the_node_usually_takes() -> None:
    now = [0.0]
    hedging = Hedging(clock=lambda: now[0])
    assert hedging.patience_seconds(1) == hedging_module.PATIENCE_SECONDS_UNKNOWN
    for token in range(160):
        started_at = hedging.begin(1, token)
        now[0] += 0.3 if token % 32 == 0 else 0.1
        hedging.end(1, token, started_at)
    assert hedging.patience_seconds(1) == pytest.approx(0.1), "some reads of a hundred are slower"
    for token in range(160):
        started_at = hedging.begin(1, token)
        now[0] += 60
        hedging.end(1, token, started_at)
    assert hedging.patience_seconds(1) == hedging_module.PATIENCE_SECONDS_MAX
    assert hedging.patience_seconds(2) == hedging_module.PATIENCE_SECONDS_UNKNOWN


def test_the_first_answer_is_taken_and_the_late_one_is_not_lost(gate: threading.Event) -> None:
    race: Race[str] = Race(Hedging())
    race.ask(1, 1, lambda: "late" if gate.wait(LONG_SECONDS) else "")
    race.ask(2, 2, lambda: "quick")
    assert race.next_answer(LONG_SECONDS) == (2, "quick")
    assert race.next_answer(0.01) is None
    assert race.running == {1}
    gate.set()
    assert race.next_answer(LONG_SECONDS) == (1, "late")


def test_a_range_touches_only_the_fragments_and_blocks_that_it_needs(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    for node in cluster.entries:
        cluster.switch(node.id).reads.clear()
    start, length = 5 * MEBIBYTE + 100_000, 10
    assert b"".join(read_chunk_range(chunk, start, length, topology=cluster.topology)) == LARGE[start:][:length]
    reads = [(node.id, *read) for node in cluster.entries for read in cluster.switch(node.id).reads]
    assert {node_id for node_id, *_ in reads} == {chunk.node_ids[2]}, "the fragment that holds it"
    assert len(reads) == 2, "its header, and the block"
    assert sum(size for *_, size in reads) < 66 * KIBIBYTE


def test_a_range_across_two_fragments_touches_two(cluster: Cluster) -> None:
    chunk = written(cluster, LARGE)
    for node in cluster.entries:
        cluster.switch(node.id).reads.clear()
    list(read_chunk_range(chunk, 2 * MEBIBYTE - 1, 2, topology=cluster.topology))
    touched = {node.id for node in cluster.entries if cluster.switch(node.id).reads}
    assert touched == {chunk.node_ids[0], chunk.node_ids[1]}
