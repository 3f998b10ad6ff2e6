"""The database is dropped under load, its journal is damaged on two nodes, and it comes back from the nodes.

Every object whose last change was acknowledged ten seconds before is back: bytes, metadata, tags, access control lists and
versions. Seeded, and the seed is printed: OBJSTORE_TEST_SEED repeats a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.store import query
from tests.live.manage import run_manage
from tests.live.processes import wait_until
from tests.live.system import LiveSystem

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

BUCKET, VERSIONED = "lost-and-found", "lost-versions"
WRITER_COUNT = 3
PROMISED_SECONDS = 10
SIZES = (0, 1, 3_000, 140_000, 900_000)
AN_OLDER_SCHEMA = ("django_celery_beat", "0018")


class Writer(threading.Thread):
    """Gives keys a life of some changes each, describes them, and does not touch them again."""

    def __init__(self, system: LiveSystem, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.client = system.client()
        self.chance = random.Random(f"{seed}/{number}")
        self.number = number
        self.is_stopping = threading.Event()
        self.closed: list[tuple[float, str, str, Any]] = []  # when, bucket, key, what it looked like

    def run(self) -> None:
        """Live until the database is gone."""
        lives = (self.overwrite, self.keep_versions, self.upload_parts, self.delete)
        count = 0
        while not self.is_stopping.is_set():
            key, count = f"{self.number}/{count:05} é", count + 1
            try:
                bucket = lives[count % len(lives)](key)
                acknowledged_at = time.time()
                self.closed.append((acknowledged_at, bucket, key, describe(self.client, bucket, key)))
            except (ClientError, BotoCoreError, OSError):
                time.sleep(0.05)
            self.is_stopping.wait(0.3)

    def body(self) -> bytes:
        return self.chance.randbytes(self.chance.choice(SIZES))

    def overwrite(self, key: str) -> str:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=self.body())
        self.client.put_object(Bucket=BUCKET, Key=key, Body=self.body(), Metadata={"n": key[:7]}, ContentType="a/b")
        self.client.put_object_tagging(
            Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "k", "Value": str(self.chance.random())}]}
        )
        self.client.put_object_acl(Bucket=BUCKET, Key=key, ACL="public-read")
        return BUCKET

    def keep_versions(self, key: str) -> str:
        first = self.client.put_object(Bucket=VERSIONED, Key=key, Body=self.body(), Tagging="a=1")["VersionId"]
        self.client.put_object(Bucket=VERSIONED, Key=key, Body=self.body(), ServerSideEncryption="AES256")
        gone = self.client.put_object(Bucket=VERSIONED, Key=key, Body=self.body())["VersionId"]
        self.client.put_object_tagging(
            Bucket=VERSIONED, Key=key, VersionId=first, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]}
        )
        self.client.delete_object(Bucket=VERSIONED, Key=key, VersionId=gone)
        if self.chance.random() < 0.5:
            self.client.delete_object(Bucket=VERSIONED, Key=key)
        return VERSIONED

    def upload_parts(self, key: str) -> str:
        upload = self.client.create_multipart_upload(Bucket=BUCKET, Key=key, Metadata={"parts": "2"})["UploadId"]
        bodies = (self.chance.randbytes(5 << 20), self.body() or b"x")
        parts = [
            {
                "PartNumber": number,
                "ETag": self.client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)[
                    "ETag"
                ],
            }
            for number, body in enumerate(bodies, 1)
        ]
        self.client.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        return BUCKET

    def delete(self, key: str) -> str:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=self.body())
        self.client.copy_object(Bucket=BUCKET, Key=f"{key} copy", CopySource={"Bucket": BUCKET, "Key": key})
        self.client.delete_object(Bucket=BUCKET, Key=key)
        return BUCKET


def describe(client: Any, bucket: str, key: str) -> list[Any]:
    """Return everything that S3 shows of a key: for each version its bytes, headers, metadata, tags and grants."""
    listed = client.list_object_versions(Bucket=bucket, Prefix=key)
    markers = [(one["Key"], one["VersionId"], one["IsLatest"]) for one in listed.get("DeleteMarkers", [])]
    versions = []
    for one in listed.get("Versions", []):
        which = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
        found = client.get_object(**which)
        versions.append(
            {
                "version": (one["Key"], one["VersionId"], one["IsLatest"], one["LastModified"], one["ETag"]),
                "bytes": hashlib.sha256(found["Body"].read()).hexdigest(),
                "headers": {
                    name: found.get(name)
                    for name in (
                        "Metadata",
                        "ContentType",
                        "ContentLength",
                        "ServerSideEncryption",
                        "ChecksumCRC64NVME",
                    )
                },
                "tags": client.get_object_tagging(**which)["TagSet"],
                "grants": client.get_object_acl(**which)["Grants"],
            }
        )
    return [markers, versions]


@pytest.fixture
def system(tmp_path: Path) -> Iterator[LiveSystem]:
    running = LiveSystem.start(tmp_path / "var", OBJSTORE_HISTORY_SECONDS="1", OBJSTORE_GC_GRACE_SECONDS="0")
    yield running
    running.process.kill()
    running.process.wait()


def kill_journal(system: LiveSystem) -> None:
    killed = system.process_ids["journal"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: system.process_ids.get("journal", killed) != killed, "the journal is written again")


def drop_database(system: LiveSystem) -> float:
    """Drop it as soon as the journal's stream is cut; return when."""
    with psycopg.connect(host=str(system.runtime_dir), dbname="postgres", user="objstore", autocommit=True) as server:

        def is_dropped() -> bool:
            server.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
            try:
                server.execute("DROP DATABASE objstore WITH (FORCE)")
            except psycopg.errors.ObjectInUse:
                return False
            return True

        wait_until(is_dropped, "the database is dropped")
    return time.time()


def damage_journal(nodes: Path, chance: random.Random) -> None:
    """Lose a node that holds the journal, and flip a bit in all that another holds of it."""
    holders = sorted({path.parents[2] for path in nodes.glob("*/fragments/00/journal-*.manifest")})
    assert len(holders) == 3
    lost, rotten = chance.sample(holders, 2)
    shutil.rmtree(lost)
    for path in (rotten / "fragments" / "00").glob("journal-*"):
        data = bytearray(path.read_bytes())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)


def test_a_database_that_is_dropped_under_load_comes_back_from_the_nodes(system: LiveSystem) -> None:
    seed = int(os.environ.get("OBJSTORE_TEST_SEED") or random.randrange(1 << 32))
    print(f"seed {seed}")
    chance = random.Random(seed)
    # What an older release would have written: the restore goes through the migrations that came after.
    system.manage("migrate", *AN_OLDER_SCHEMA)
    client = system.client()
    client.create_bucket(Bucket=BUCKET)
    client.create_bucket(Bucket=VERSIONED)
    client.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    keys = {"aws_access_key_id": "ALICE234567890AB", "aws_secret_access_key": "alice's secret, which is sealed"}
    system.manage(
        *("create_account", "alice", "--email", "alice@example.com"),
        *("--access-key", keys["aws_access_key_id"], "--secret-key", keys["aws_secret_access_key"]),
    )
    writers = [Writer(system, number, seed) for number in range(WRITER_COUNT)]
    for writer in writers:
        writer.start()
    for _ in range(2):
        time.sleep(chance.uniform(1, 3))
        kill_journal(system)
    wait_until(
        lambda: query(system, "SELECT count(*) FROM journal_journalstate WHERE snapshot_number >> 16 > 1")[0][0] > 0,
        "there is a snapshot of the older schema",
    )
    wait_until(lambda: system.manage("journal_status", is_checked=False).returncode == 0, "the journal is well")
    until = time.time() + PROMISED_SECONDS + 2
    while time.time() < until:  # what is deleted loses its bytes meanwhile
        system.manage("collect_garbage", "--grace-seconds", "0")
        time.sleep(2)
    dropped_at = drop_database(system)
    for writer in writers:
        writer.is_stopping.set()
    for writer in writers:
        writer.join(60)
    system.process.terminate()
    system.process.wait(60)
    damage_journal(system.data_dir / "nodes", chance)

    # An empty database beside these nodes is not begun anew.
    refused = run_manage(system.environment, "up")
    assert refused.returncode != 0
    assert "restore_metadata" in refused.stdout, refused.stdout

    restored = run_manage(system.environment, "restore_metadata", "--no-fsck")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    print(restored.stdout)
    assert "INCOMPLETE" not in restored.stdout
    assert "OBJSTORE_SECRET_KEY" not in restored.stdout
    again = run_manage(system.environment, "restore_metadata", "--no-fsck")
    assert again.returncode != 0
    assert "not empty" in again.stdout + again.stderr

    revived = LiveSystem.start(system.data_dir, **QUIET)
    try:
        assert_back(revived, [life for writer in writers for life in writer.closed], dropped_at)
        assert revived.manage("migrate", "--check").returncode == 0
        assert revived.client(**keys).list_buckets()["Buckets"] == []
    finally:
        revived.process.terminate()
        revived.process.wait(60)


# Nothing that was lost with the node is repaired while the rest is compared.
QUIET = {"OBJSTORE_NODE_GRACE_SECONDS": "3600", "OBJSTORE_ORPHAN_GRACE_SECONDS": "86400"}


def assert_back(system: LiveSystem, lives: list[tuple[float, str, str, Any]], dropped_at: float) -> None:
    client = system.client()
    lost = [(dropped_at - at, key) for at, bucket, key, expected in lives if describe(client, bucket, key) != expected]
    promised = sum(at < dropped_at - PROMISED_SECONDS for at, *_ in lives)
    print(f"{promised} of {len(lives)} keys were promised; {len(lost)} are lost, of {sorted(lost)} s")
    assert promised > 10
    assert [key for age, key in lost if age > PROMISED_SECONDS] == []
    # So are the reads, in batches, with the seals that are over them.
    counted = "SELECT count(*) FROM audit_auditevent WHERE is_batched AND method = 'GET' AND at < to_timestamp(%s)"
    assert query(system, counted, dropped_at - PROMISED_SECONDS)[0][0] >= promised
    verdict = system.manage("audit_verify", is_checked=False)
    assert verdict.returncode == 0, verdict.stdout
    checked = json.loads(system.manage("fsck", "--deep", "--json", is_checked=False).stdout)
    # A node is gone with all that it held; nothing else may be missing.
    assert checked["by_kind"].keys() <= {"fragment out of reach", "node out of reach"}, checked
    assert checked["fragments"] > 100
