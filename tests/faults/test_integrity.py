"""Bits that rot, a node that is lost, a node that is drained under load: never a wrong byte, and all whole in the end.

One system for the whole module; the tests follow each other. Seeded, and the seed is printed: OBJSTORE_TEST_SEED repeats
a run. OBJSTORE_TEST_SCALE=full flips a thousand bits.
"""

from __future__ import annotations

import os
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from chunks.erasure import parse_scheme
from chunks.fragment_format import fragment_name
from tests.faults.store import SEGMENT, fragment_places, node_directories, query, stored_fragments
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

BUCKET = "integrity"
SIZES = (1, 1_000, 70_000, 131_071, 131_072, 300_000, 1_000_000, (8 << 20) + 70_000)
FLIP_COUNT = 1000 if os.environ.get("OBJSTORE_TEST_SCALE") == "full" else 60
OBJECT_COUNT = FLIP_COUNT


@dataclass
class Store:
    """The system, and what its objects hold."""

    system: LiveSystem
    client: Any
    chance: random.Random
    bodies: dict[str, bytes] = field(default_factory=dict)

    def put(self, key: str, size_bytes: int) -> None:
        body = self.chance.randbytes(size_bytes)
        self.client.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.bodies[key] = body

    def read(self, key: str) -> bytes | None:
        """Return what the store says the object holds, None if it says that it can't."""
        try:
            return self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 503:
                raise
            return None

    def assert_reads(self) -> None:
        with ThreadPoolExecutor(4) as readers:
            for key, body in zip(self.bodies, readers.map(self.read, self.bodies), strict=True):
                assert body == self.bodies[key], key

    def assert_clean(self, *arguments: str) -> None:
        self.system.manage("fsck", "--deep", *arguments)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    seed = int(os.environ.get("OBJSTORE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"OBJSTORE_TEST_SEED={seed}")
    with tempfile.TemporaryDirectory(prefix="objstore-integrity-") as directory:
        system = LiveSystem.start(
            Path(directory) / "var", OBJSTORE_HISTORY_SECONDS="0", OBJSTORE_NODE_GRACE_SECONDS="3"
        )
        found = Store(system, system.client(), random.Random(seed))
        found.client.create_bucket(Bucket=BUCKET)
        for number in range(OBJECT_COUNT):
            found.put(f"{number}", SIZES[number % len(SIZES)] if number % 20 else SIZES[-1])
        yield found
        system.stop()


def set_schedule(system: LiveSystem, *, is_enabled: bool) -> None:
    """Let the duties run by themselves, or only when a test says so."""
    system.manage(
        "shell",
        "-c",
        "from django_celery_beat.models import PeriodicTask, PeriodicTasks;"
        f"PeriodicTask.objects.update(enabled={is_enabled}); PeriodicTasks.update_changed()",
    )


def path_of(directory: Path, chunk_id: UUID, index: int) -> Path:
    return next((directory / "fragments").rglob(fragment_name(chunk_id, index)))


def flip_bits(store: Store, count: int) -> Counter[tuple[UUID, int]]:
    """Flip bits anywhere in any fragments, but no more fragments of a chunk than its scheme can do without."""
    schemes = dict(query(store.system, "SELECT id, scheme FROM chunks_chunk"))
    places = fragment_places(store.system)
    flipped: Counter[tuple[UUID, int]] = Counter()
    hurt: dict[UUID, set[int]] = {}
    while flipped.total() < count:
        place = store.chance.choice(places)
        chunk_id, index = place.chunk_id, place.index
        indexes = hurt.setdefault(chunk_id, set())
        if len(indexes | {index}) > parse_scheme(schemes[chunk_id]).tolerated_losses or flipped[chunk_id, index]:
            continue
        indexes.add(index)
        flipped[chunk_id, index] += 1
        with place.path.open("r+b") as file:
            offset = place.offset + store.chance.randrange(place.size_bytes)
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << store.chance.randrange(8)]))
    return flipped


def faults(system: LiveSystem) -> set[tuple[UUID, int]]:
    return set(query(system, "SELECT chunk_id, fragment_index FROM chunks_fragmentfault"))


def test_flipped_bits_are_never_read_and_all_are_found_and_repaired(store: Store) -> None:
    set_schedule(store.system, is_enabled=False)
    store.assert_clean()
    flipped = flip_bits(store, FLIP_COUNT)
    store.assert_reads()
    assert faults(store.system) <= set(flipped), "a read reports what is damaged, and nothing else"
    store.system.manage("scrub", "--unlimited")
    assert faults(store.system) == set(flipped)
    damaged = store.system.manage("fsck", "--deep", is_checked=False)
    assert damaged.returncode == 1
    assert f"{len(flipped):,}  fragment corrupt" in damaged.stdout
    store.system.manage("repair_faults")
    assert faults(store.system) == set()
    store.assert_clean()
    store.assert_reads()


def test_what_can_not_be_repaired_is_refused_and_named_and_can_be_deleted(store: Store) -> None:
    store.put("doomed", 300_000)
    [(chunk_id, node_ids)] = query(
        store.system, "SELECT id, node_ids FROM chunks_chunk ORDER BY created_at DESC LIMIT 1"
    )
    directories = node_directories(store.system)
    for index in (0, 2, 5):
        path_of(directories[node_ids[index]], chunk_id, index).write_bytes(b"rotten")
    assert store.read("doomed") is None
    store.system.manage("scrub", "--unlimited")
    store.system.manage("repair_faults")
    listed = store.system.manage("list_endangered").stdout
    assert f"can't be read now: {BUCKET}/doomed" in listed
    assert "1 chunks at reduced redundancy, 1 of them can't be read" in listed
    store.client.delete_object(Bucket=BUCKET, Key="doomed")
    del store.bodies["doomed"]
    store.system.manage("collect_garbage", "--grace-seconds", "0")
    store.assert_clean("--orphan-grace-seconds", "-60")


def test_a_node_is_drained_under_load(store: Store) -> None:
    stop, errors = threading.Event(), []

    def work(number: int) -> None:
        chance = random.Random(number)
        client, count = store.system.client(), 0
        while not stop.is_set():
            try:
                key = chance.choice(sorted(store.bodies))
                assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == store.bodies[key], key
                client.put_object(Bucket=BUCKET, Key=f"load/{number}/{count % 10}", Body=chance.randbytes(200_000))
                count += 1
                stop.wait(0.05)
            except Exception as error:  # noqa: BLE001  whatever goes wrong is a finding
                errors.append(error)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    drained = store.system.manage("drain_node", "node-2", "--unlimited")
    stop.set()
    for worker in workers:
        worker.join()
    assert errors == []
    assert drained.stdout.endswith("node-2: done: the node is empty\n")
    assert query(store.system, "SELECT count(*) FROM chunks_chunk WHERE node_ids @> ARRAY[2::smallint]") == [(0,)]
    assert {kept for kept in stored_fragments(store.system) if kept[0] == 2 and kept[2] != SEGMENT} == set()
    store.system.manage("collect_garbage", "--grace-seconds", "0")
    store.assert_clean("--orphan-grace-seconds", "-60")
    store.assert_reads()


def test_a_node_that_vanishes_is_rebuilt_by_itself_and_without_a_read(store: Store) -> None:
    store.system.manage("set_node_state", "node-2", "active")
    directory = node_directories(store.system)[5]
    held = query(store.system, "SELECT count(*) FROM chunks_chunk WHERE node_ids @> ARRAY[5::smallint]")
    assert held[0][0] > 0
    directory.rename(directory.with_name("burnt"))
    (directory.with_name("burnt") / "identity").unlink()
    set_schedule(store.system, is_enabled=True)
    wait_until(
        lambda: query(store.system, "SELECT count(*) FROM chunks_chunk WHERE node_ids @> ARRAY[5::smallint]") == [(0,)],
        "nothing names the lost node",
        seconds=max(240, 0.6 * FLIP_COUNT),
    )
    store.system.manage("set_node_state", "node-5", "down")
    store.assert_clean()
    store.assert_reads()
