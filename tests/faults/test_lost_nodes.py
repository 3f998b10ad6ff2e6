"""Nodes that burn while the system runs: two of six, or a whole zone. Everything reads, writes go on, repair makes whole."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.load import load
from tests.faults.store import node_directories, query, referenced_fragments
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

SIZES = (0, 1, 100, 4_096, 65_536, 131_071, 131_072, 1_000_000, 8 << 20, (8 << 20) + 1, 25_000_000)
BUCKET = "burning"
full = pytest.mark.skipif(os.environ.get("OBJSTORE_TEST_SCALE") != "full", reason="needs OBJSTORE_TEST_SCALE=full")


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
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "lost",
    [
        pytest.param((1, 4), id="two nodes of different zones", marks=full),
        pytest.param((3, 4), id="a whole zone"),
    ],
)
def test_with_two_nodes_gone_no_client_notices_and_repair_makes_it_whole(system, lost):
    client = system.client()
    client.create_bucket(Bucket=BUCKET)
    bodies = fill(client, "before", seed=1)
    directories = node_directories(system)
    assert len(directories) == 6
    gone = [sorted(directories)[index - 1] for index in lost]
    with load(system, BUCKET, seed=7, before=bodies) as clients:
        wait_until(lambda: clients.writes > 10, "clients work", seconds=120)
        for node_id in gone:
            shutil.rmtree(directories[node_id])
        count = clients.reads
        wait_until(lambda: clients.reads > count + 30, "clients go on", seconds=180)
        assert_reads(client, bodies)
        for node_id in gone:
            system.manage("set_node_state", f"node-{node_id}", "down")
        system.manage("repair_faults")
    assert clients.errors == []

    def is_moved() -> bool:
        # What was published while a walk over all chunks went on, a duty's perhaps, is found by the next one.
        query(system, "UPDATE chunks_nodehealth SET faults_queued_at = NULL RETURNING 1")
        system.manage("repair_faults")
        return not {node_id for node_id, *_ in referenced_fragments(system)} & set(gone)

    wait_until(is_moved, "nothing is on the lost nodes any more", seconds=120)
    assert_reads(client, bodies)
    clients.assert_reads()
    system.manage("collect_garbage", "--grace-seconds", "0")
    system.manage("sweep_orphans", "--grace-seconds", "-60")
    checked = system.manage("fsck", "--deep", "--orphan-grace-seconds", "-60", is_checked=False)
    assert checked.stdout.rstrip().endswith("no problems"), checked.stdout
    assert not {node_id for node_id, *_ in referenced_fragments(system)} & set(gone)
