"""Nodes behind S3 and SFTP whose servers are killed while clients work. One system; the tests follow each other."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from chunks.topology import SNAPSHOT_SECONDS
from tests.faults.load import load
from tests.faults.store import query
from tests.live.manage import run_manage
from tests.live.processes import wait_until
from tests.live.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedFS
from tests.live.sshd import Sshd
from tests.live.system import LiveSystem

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]

BUCKET = "remote"
full = pytest.mark.skipif(os.environ.get("OBJSTORE_TEST_SCALE") != "full", reason="needs OBJSTORE_TEST_SCALE=full")
S3, SFTP = "storages.backends.s3.S3Storage", "storages.backends.sftpstorage.SFTPStorage"


@pytest.fixture(scope="module")
def system() -> Iterator[LiveSystem]:
    with tempfile.TemporaryDirectory(prefix="objstore-remote-") as directory:
        started = LiveSystem.start(
            Path(directory) / "var",
            OBJSTORE_HISTORY_SECONDS="0",
            OBJSTORE_NODE_GRACE_SECONDS="600",
            OBJSTORE_NODE_SECRET_WEED=SECRET_KEY,
        )
        started.client().create_bucket(Bucket=BUCKET)
        yield started
        started.stop()


@pytest.fixture(scope="module")
def seed() -> int:
    drawn = int(os.environ.get("OBJSTORE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
    print(f"OBJSTORE_TEST_SEED={drawn}")
    return drawn


def add_s3_node(system: LiveSystem, server: SeaweedFS, name: str, zone: str) -> None:
    options = server.options("nodes", f"live/{name}") | {"timeout_seconds": 10}
    del options["secret_key"], options["access_key"]
    arguments = [argument for item in options.items() for argument in ("--option", "{}={}".format(*item))]
    system.manage(
        "add_node", name, zone, "--storage", S3, *arguments, "--option", f"access_key={ACCESS_KEY}",
        "--option-env", "secret_key=WEED",
    )  # fmt: skip


def add_sftp_node(system: LiveSystem, server: Sshd, name: str, zone: str) -> None:
    options = server.options(system.data_dir.parent / name)
    params = options.pop("params")
    pairs = [*options.items(), *((f"params.{key}", value) for key, value in params.items())]
    arguments = [argument for key, value in pairs for argument in ("--option", f"{key}={_text(value)}")]
    system.manage("add_node", name, zone, "--storage", SFTP, *arguments)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def make_whole(system: LiveSystem) -> None:
    """Repair, collect, sweep, and find nothing missing and nothing too much."""
    query(system, "UPDATE chunks_fragmentfault SET next_attempt_at = now() - interval '1 s' RETURNING 1")
    system.manage("scrub", "--unlimited")
    query(system, "UPDATE chunks_fragmentfault SET next_attempt_at = now() - interval '1 s' RETURNING 1")
    system.manage("repair_faults")
    system.manage("collect_garbage", "--grace-seconds", "0")
    system.manage("sweep_orphans", "--grace-seconds", "-60")
    assert query(system, "SELECT count(*) FROM chunks_fragmentfault") == [(0,)]
    system.manage("fsck", "--deep", "--orphan-grace-seconds", "-60")


@full
def test_two_remote_nodes_among_eight_may_die_and_nobody_notices(
    system: LiveSystem, seaweedfs: SeaweedFS, sshd: Sshd, seed: int
) -> None:
    add_s3_node(system, seaweedfs, "cloud-1", "cloud")
    add_sftp_node(system, sshd, "attic-1", "attic")
    listed = system.manage("list_nodes").stdout
    assert "secret_key=(from OBJSTORE_NODE_SECRET_WEED)" in listed
    assert SECRET_KEY not in listed
    with load(system, BUCKET, seed=seed) as clients:
        wait_until(lambda: clients.writes > 40, "both nodes are in use", seconds=120)
        seaweedfs.kill()
        sshd.kill()
        during = clients.writes
        wait_until(lambda: clients.writes > during + 60, "writes go on without them", seconds=120)
        seaweedfs.run()
        sshd.run()
        after = clients.writes
        wait_until(lambda: clients.writes > after + 60, "writes go on with them", seconds=120)
    assert clients.errors == []
    held = query(
        system, "SELECT n.name, count(*) FROM chunks_node n JOIN chunks_chunk c ON n.id = ANY(c.node_ids) GROUP BY 1"
    )
    assert {"cloud-1", "attic-1"} <= {name for name, _ in held}
    wait_until(lambda: not answerless(system), "the nodes answer", seconds=60)
    make_whole(system)
    clients.assert_reads()


def answerless(system: LiveSystem) -> list[tuple]:
    return query(
        system,
        "SELECT n.name FROM chunks_node n LEFT JOIN chunks_nodehealth h ON h.node_id = n.id"
        " WHERE h.last_error <> '' AND n.state <> 'down'",
    )


@full
def test_a_pool_that_is_all_remote_loses_nothing_when_its_server_is_killed(
    system: LiveSystem, seaweedfs: SeaweedFS, seed: int
) -> None:
    for number in range(2, 8):
        add_s3_node(system, seaweedfs, f"cloud-{number}", f"cloud-{number % 3}")
    client = system.client()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": one["Key"]} for one in page["Contents"]]})
    make_whole(system)
    for name in ("attic-1", "cloud-1", *(f"node-{number}" for number in range(1, 7))):
        system.manage("set_node_state", name, "down")
    time.sleep(SNAPSHOT_SECONDS + 1)
    with load(system, BUCKET, seed=seed + 1) as clients:
        wait_until(lambda: clients.writes > 40, "the pool is in use", seconds=180)
        assert clients.errors == []
        seaweedfs.kill()
        wait_until(lambda: len(clients.errors) > 3, "clients are told", seconds=60)
        with pytest.raises(ClientError) as refused:
            client.put_object(Bucket=BUCKET, Key="refused", Body=b"x" * 200_000)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        seaweedfs.run()
        back = clients.writes
        wait_until(lambda: clients.writes > back + 40, "writes go on", seconds=120)
    # An answer that was begun when the last nodes went can only be cut off, which clients notice by its length.
    assert all("(ServiceUnavailable)" in error or "IncompleteRead" in error for error in clients.errors)
    clients.assert_reads()
    wait_until(lambda: not answerless(system), "the nodes answer", seconds=60)
    make_whole(system)


@full
def test_what_rots_or_vanishes_in_a_bucket_is_found_and_repaired(
    system: LiveSystem, seaweedfs: SeaweedFS, seed: int
) -> None:
    chance, weed = random.Random(seed), seaweedfs.client()
    chunks = query(system, "SELECT id, node_ids FROM chunks_chunk ORDER BY id")
    locations = dict(query(system, "SELECT id, options ->> 'location' FROM chunks_node"))
    with load(system, BUCKET, seed=seed + 2, clients=1) as clients:
        wait_until(lambda: clients.writes > 5, "a client works")
        for number, (chunk_id, node_ids) in enumerate(chance.sample(chunks, 30)):
            index = chance.randrange(len(node_ids))
            key = f"{locations[node_ids[index]]}/fragments/{chunk_id.hex[-2:]}/{chunk_id.hex}.{index}"
            data = bytearray(weed.get_object(Bucket="nodes", Key=key)["Body"].read())
            if number % 3 == 0:
                weed.delete_object(Bucket="nodes", Key=key)
                continue
            if number % 3 == 1:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            else:
                del data[chance.randrange(len(data)) :]
            weed.put_object(Bucket="nodes", Key=key, Body=bytes(data))
        damaged = system.manage("fsck", "--deep", is_checked=False)
        assert damaged.returncode == 1
    assert clients.errors == []
    make_whole(system)
    clients.assert_reads()


@full
def test_a_bucket_prefix_that_is_emptied_is_a_lost_node_and_takes_no_writes(
    system: LiveSystem, seaweedfs: SeaweedFS, seed: int
) -> None:
    weed = seaweedfs.client()
    for page in weed.get_paginator("list_objects_v2").paginate(Bucket="nodes", Prefix="live/cloud-2/"):
        for found in page.get("Contents", ()):
            weed.delete_object(Bucket="nodes", Key=found["Key"])
    with load(system, BUCKET, seed=seed + 3) as clients:
        wait_until(lambda: clients.writes > 40, "clients go on", seconds=120)
    assert clients.errors == []
    wait_until(lambda: answerless(system) == [("cloud-2",)], "the node is seen to be lost", seconds=60)
    system.manage("set_node_state", "cloud-2", "down")
    make_whole(system)
    clients.assert_reads()
    assert query(
        system, "SELECT count(*) FROM chunks_chunk c, chunks_node n WHERE n.name = 'cloud-2' AND n.id = ANY(c.node_ids)"
    ) == [(0,)]


@full
def test_a_database_comes_back_from_a_storage_when_no_directory_has_its_journal(
    seaweedfs: SeaweedFS, tmp_path: Path
) -> None:
    variables = {"OBJSTORE_NODE_SECRET_WEED": SECRET_KEY, "OBJSTORE_JOURNAL_COPIES": "7"}
    lost = LiveSystem.start(tmp_path / "var", **variables)
    add_s3_node(lost, seaweedfs, "vault-1", "vault")
    bodies = {f"k{number}": random.Random(number).randbytes(number * 20_000) for number in range(10)}
    lost.client().create_bucket(Bucket=BUCKET)
    for key, body in bodies.items():
        lost.client().put_object(Bucket=BUCKET, Key=key, Body=body)
    [(vault,)] = query(lost, "SELECT id FROM chunks_node WHERE name = 'vault-1'")

    wait_until(
        lambda: query(lost, "SELECT %s = ANY(holder_ids) FROM journal_journalstate", vault) == [(True,)],
        "the storage takes records",
        seconds=60,
    )
    # What was kept before the storage joined is copied as soon as a record goes elsewhere than the one before.
    wait_until(lambda: lost.manage("fsck", is_checked=False).returncode == 0, "the storage has them all", seconds=60)
    lost.stop()
    (lost.data_dir / "postgresql").rename(tmp_path / "burnt")
    for record in lost.data_dir.glob("nodes/*/fragments/00/journal-*"):
        record.unlink()

    options = seaweedfs.options("nodes", "live/vault-1")
    del options["secret_key"]
    told = [argument for item in options.items() for argument in ("--option", "{}={}".format(*item))]
    command = ("restore_metadata", "--storage", S3, *told, "--option-env")
    wrong = run_manage(lost.environment, *command, "secret_key=NOTHING")
    assert wrong.returncode != 0
    assert SECRET_KEY not in wrong.stdout + wrong.stderr
    restored = run_manage(lost.environment, *command, "secret_key=WEED")
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "INCOMPLETE" not in restored.stdout
    revived = LiveSystem.start(lost.data_dir, **variables)
    for key, body in bodies.items():
        assert revived.client().get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
    revived.stop()
