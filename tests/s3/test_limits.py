"""Quotas and rates: what is too much is refused with S3's errors, exactly, and by all processes together."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.live.processes import wait_until
from tests.live.system import LiveSystem

pytestmark = pytest.mark.live


def put(client: Any, bucket: str, key: str, size_bytes: int = 1) -> str:
    """Put an object and return the error code, if any."""
    try:
        client.put_object(Bucket=bucket, Key=key, Body=bytes(size_bytes))
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_buckets_quota_of_bytes_is_kept_exactly(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("limit", "set", "bucket", bucket, "--bytes", "10KiB")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: put(owner, bucket, f"k{number}", 1024), range(24)))
    assert sorted(outcomes) == [""] * 10 + ["QuotaExceeded"] * 14
    kept = owner.list_objects_v2(Bucket=bucket)["Contents"]
    assert put(owner, bucket, kept[0]["Key"], 1024) == ""  # what is replaced makes room
    assert put(owner, bucket, kept[0]["Key"], 1025) == "QuotaExceeded"
    with pytest.raises(ClientError, match="QuotaExceeded"):
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": kept[0]["Key"]})
    owner.delete_object(Bucket=bucket, Key=kept[1]["Key"])
    assert put(owner, bucket, "again", 1024) == ""
    live.manage("limit", "remove", "bucket", bucket)
    assert put(owner, bucket, "free", 4096) == ""


def test_what_is_appended_counts(live: LiveSystem, owner: Any, new_bucket: Any) -> None:
    for is_versioned in (False, True):
        bucket = new_bucket()
        if is_versioned:
            owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        assert put(owner, bucket, "k", 1024) == ""
        live.manage("limit", "set", "bucket", bucket, "--bytes", "4KiB")
        owner.put_object(Bucket=bucket, Key="k", Body=bytes(1024), WriteOffsetBytes=1024)
        with pytest.raises(ClientError, match="QuotaExceeded"):
            owner.put_object(Bucket=bucket, Key="k", Body=bytes(2049), WriteOffsetBytes=2048)
        assert owner.head_object(Bucket=bucket, Key="k")["ContentLength"] == 2048


def test_a_quota_of_objects_counts_keys(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("limit", "set", "bucket", bucket, "--objects", "2")
    assert [put(owner, bucket, key) for key in ("a", "b", "c", "a")] == ["", "", "QuotaExceeded", ""]
    upload = owner.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = owner.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"p")
    with pytest.raises(ClientError, match="QuotaExceeded"):
        owner.complete_multipart_upload(
            Bucket=bucket, Key="parts", UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )  # fmt: skip


def test_an_accounts_quota_is_over_all_its_buckets(live: LiveSystem) -> None:
    keys = {"aws_access_key_id": "LIMITED234567890", "aws_secret_access_key": "the secret of who has a quota"}
    live.manage(
        *("create_account", "limited", "--email", "limited@example.com"),
        *("--access-key", keys["aws_access_key_id"], "--secret-key", keys["aws_secret_access_key"]),
    )
    limited = live.client(**keys)
    names = [f"limited-account-{number}" for number in range(2)]
    for name in names:
        limited.create_bucket(Bucket=name)
    live.manage("limit", "set", "account", "limited", "--objects", "1")
    assert [put(limited, name, "k") for name in names] == ["", "QuotaExceeded"]


def test_requests_beyond_the_rate_are_told_to_slow_down(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("limit", "set", "bucket", bucket, "--requests-per-second", "2")
    refused = []

    def is_limited() -> bool:
        try:
            owner.list_objects_v2(Bucket=bucket)
        except ClientError as error:
            refused.append(error.response)
        return len(refused) > 3

    wait_until(is_limited, "requests are refused", seconds=30)
    told = [answer for answer in refused if answer["Error"]["Code"] == "SlowDown"]
    assert told
    assert told[0]["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert int(told[0]["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 1
    live.manage("limit", "remove", "bucket", bucket)
    wait_until(lambda: put(owner, bucket, "k") == "", "the bucket is free again", seconds=30)


def test_what_was_moved_is_waited_for(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("limit", "set", "key", live.access_key, "--bytes-per-second", "1MiB")
    try:

        def owes() -> bool:
            return put(owner, bucket, "large", 3 << 20) == "SlowDown"

        wait_until(owes, "the key has to wait", seconds=30)
        started_at = time.monotonic()
        wait_until(lambda: put(owner, bucket, "small") == "", "the debt is paid", seconds=60)
        assert time.monotonic() - started_at > 0.5
    finally:
        live.manage("limit", "remove", "key", live.access_key)
        wait_until(lambda: put(owner, bucket, "small") == "", "the key is free again", seconds=30)


def test_limits_that_can_be_none_are_refused(live: LiveSystem, bucket: str) -> None:
    for wrong in (
        ("set", "key", live.access_key, "--bytes", "1G"),
        ("set", "bucket", bucket, "--requests-per-second", "0"),
        ("set", "bucket", "no-such-bucket", "--objects", "1"),
        ("set", "bucket", bucket, "--bytes", "many"),
    ):
        assert live.manage("limit", *wrong, is_checked=False).returncode != 0
    live.manage("limit", "set", "bucket", bucket, "--bytes", "1.5G", is_checked=False)
    assert "no limit" not in live.manage("limit", "list").stdout
