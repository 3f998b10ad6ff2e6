"""Nodes that burn while the system runs: two of six, or a whole zone. Everything reads, writes go on, repair makes whole."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.store import node_directories, query, referenced_fragments, stored_fragments
from tests.live.system import LiveSystem

SIZES = (0, 1, 100, 4_096, 65_536, 131_071, 131_072, 1_000_000, 8 << 20, (8 << 20) + 1, 25_000_000)
BUCKET = "burning"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LiveSystem]:
    running = LiveSystem.start(tmp_path / "var")
    yield running
    running.stop()


def fill(client: Any, prefix: str, seed: int) -> dict[str, bytes]:
    """Store objects of all sizes and return what they hold."""
    chance = random.Random(seed)
    bodies = {f"{prefix}/{size}-{number}": chance.randbytes(size) for size in SIZES for number in range(2)}
    for key, body in bodies.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=body)
    return bodies


def assert_reads(client: Any, bodies: dict[str, bytes]) -> None:
    for key, body in bodies.items():
        read = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert hashlib.sha256(read).digest() == hashlib.sha256(body).digest(), key
        if len(body) > 10:
            first, last = len(body) // 3, len(body) // 2
            ranged = client.get_object(Bucket=BUCKET, Key=key, Range=f"bytes={first}-{last}")["Body"].read()
            assert ranged == body[first : last + 1], key


@pytest.mark.live
@pytest.mark.timeout(600)
@pytest.mark.parametrize("lost", [(1, 4), (3, 4)], ids=["two nodes of different zones", "a whole zone"])
def test_with_two_nodes_gone_everything_reads_writes_go_on_and_repair_makes_it_whole(system, lost):
    client = system.client()
    client.create_bucket(Bucket=BUCKET)
    bodies = fill(client, "before", seed=1)
    directories = node_directories(system)
    assert len(directories) == 6
    gone = [sorted(directories)[index - 1] for index in lost]
    for node_id in gone:
        shutil.rmtree(directories[node_id])

    assert_reads(client, bodies)
    bodies |= fill(client, "after", seed=2)
    assert_reads(client, bodies)
    assert query(system, "SELECT count(*) FROM chunks_fragmentfault")[0][0] > 0

    for node_id in gone:
        system.manage(
            "shell", "-c", f"from chunks.models import Node; Node.objects.filter(pk={node_id}).update(state='down')"
        )
    system.manage("repair_faults")
    assert_reads(client, bodies)
    left = {fragment for fragment in referenced_fragments(system) if fragment[0] not in gone}
    assert left <= stored_fragments_of(system, gone)


def stored_fragments_of(system: LiveSystem, gone: list[int]) -> set[tuple]:
    return {fragment for fragment in stored_fragments(system) if fragment[0] not in gone}
