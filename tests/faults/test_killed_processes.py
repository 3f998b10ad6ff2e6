"""Processes killed at any moment: what was acknowledged stays, what was not is not half-visible, nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.store import named_segments, query, referenced_fragments, stored_fragments
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

KILL_COUNT = 20 if os.environ.get("OBJSTORE_TEST_SCALE") == "full" else 4
VICTIMS = ("gateway", "postgresql", "worker", "valkey")
WRITER_COUNT = 4
SIZES = (0, 1, 4_096, 100_000, 200_000, 3_000_000, 17_000_000)
BUCKET = "killed"


class Ledger:
    """What writers tried and what was acknowledged. Keys are written by one writer each, one write at a time."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, bytes | None] = {}
        self.possible: dict[str, set[bytes]] = defaultdict(set)

    def may_be(self, key: str) -> set[bytes | None]:
        """Return the digests that a key may have: the last acknowledged, and those of attempts that followed."""
        return {self.acknowledged.get(key)} | self.possible[key]


class Writer(threading.Thread):
    """Puts objects of all sizes, overwriting some, until it is told to stop."""

    def __init__(self, system: LiveSystem, ledger: Ledger, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.client = system.client()
        self.ledger = ledger
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        self.is_stopping = threading.Event()

    def run(self) -> None:
        """Write until stopped; a failed write is an answer like any other."""
        while not self.is_stopping.is_set():
            key = f"writer-{self.number}/key-{self.random.randrange(40)}"
            body = self.random.randbytes(self.random.choice(SIZES))
            digest = hashlib.sha256(body).digest()
            self.ledger.possible[key].add(digest)
            try:
                self.write(key, body)
            except (ClientError, BotoCoreError, OSError):
                time.sleep(0.05)
            else:
                self.ledger.acknowledged[key] = digest
                self.ledger.possible[key].clear()

    def write(self, key: str, body: bytes) -> None:
        """Put one object; large ones in parts."""
        if len(body) < 10_000_000:
            self.client.put_object(Bucket=BUCKET, Key=key, Body=body)
            return
        upload = self.client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        parts = []
        for number, start in enumerate(range(0, len(body), 6_000_000), start=1):
            part = self.client.upload_part(
                Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body[start : start + 6_000_000]
            )
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        self.client.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSystem]:
    running = LiveSystem.start(tmp_path_factory.mktemp("killed") / "var")
    running.client().create_bucket(Bucket=BUCKET)
    yield running
    running.stop()


@pytest.mark.live
def test_an_upload_whose_client_goes_away_leaves_nothing(system):
    client = system.client()
    stopped = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, max_concurrency=2)

    class Broken:
        """A file that fails in the middle."""

        def __init__(self) -> None:
            self.left = 40 << 20

        def read(self, amount: int = -1) -> bytes:
            if self.left < (16 << 20):
                raise OSError("the disk of the client broke")
            taken = min(self.left, amount if amount > 0 else self.left)
            self.left -= taken
            return bytes(taken)

    with suppress(OSError):
        client.upload_fileobj(Broken(), BUCKET, "never", Config=stopped)
    assert list_keys(client) == set()
    system.manage("collect_garbage", "--grace-seconds", "0", "--stale-upload-seconds", "0")
    system.manage("sweep_orphans", "--grace-seconds", "0")
    assert stored_fragments(system) == set()


@pytest.mark.live
@pytest.mark.timeout(900)
def test_killing_gateway_database_worker_and_broker_loses_nothing_acknowledged_and_leaves_nothing_behind(system):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    client = system.client()
    ledger = Ledger()
    writers = [Writer(system, ledger, number, seed) for number in range(WRITER_COUNT)]
    for writer in writers:
        writer.start()
    for round_number in range(KILL_COUNT):
        time.sleep(chance.uniform(0.5, 2.0))
        victim = VICTIMS[round_number % len(VICTIMS)]
        pid = system.process_ids[victim]
        os.kill(pid, signal.SIGKILL)
        await_successor(system, victim, pid)
    for writer in writers:
        writer.is_stopping.set()
    for writer in writers:
        writer.join(timeout=60)

    assert len(ledger.acknowledged) > 10
    listed = list_keys(client)
    for key in ledger.acknowledged.keys() | ledger.possible.keys() | listed:
        assert read_digest(client, key) in ledger.may_be(key), f"{key} is not what was written (seed {seed})"
    for key, digest in ledger.acknowledged.items():
        assert digest is None or key in listed

    system.manage("collect_garbage", "--grace-seconds", "0", "--stale-upload-seconds", "0")
    system.manage("repair_faults")
    system.manage("sweep_orphans", "--grace-seconds", "0")
    assert referenced_fragments(system) <= stored_fragments(system)
    assert stored_fragments(system) <= referenced_fragments(system) | named_segments(system)
    # Segments that killed gateways had open go by their age, where no chunk is in them.
    query(system, "UPDATE chunks_segment SET created_at = created_at - interval '1 day' RETURNING id")
    system.manage("collect_garbage", "--grace-seconds", "0", "--orphan-grace-seconds", "0")
    assert stored_fragments(system) == referenced_fragments(system)
    system.manage("fsck", "--deep", "--orphan-grace-seconds", "-60")
    assert not [line for line in system.log.splitlines() if "Traceback" in line and "gateway" in line]


def await_successor(system: LiveSystem, name: str, killed: int) -> None:
    wait_until(lambda: system.process_ids.get(name) not in (None, killed) and system.is_ready(), f"{name} is back")


def list_keys(client) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def read_digest(client, key: str) -> bytes | None:
    """Return the digest of what a key holds, None without an object."""
    try:
        answer = client.get_object(Bucket=BUCKET, Key=key)
    except client.exceptions.NoSuchKey:
        return None
    body = answer["Body"].read()
    assert len(body) == answer["ContentLength"]
    return hashlib.sha256(body).digest()
