"""Quotas and rates: what is too much is refused with S3's errors, exactly, and by all processes together."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from limits.rates import REFRESH_SECONDS
from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.wire import Wire

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


def test_a_rate_holds_at_every_door(live: LiveSystem, unsigned_wire: Wire) -> None:
    keys = json.loads(live.manage("create_account", "hasty", "--email", "hasty@example.org", "--json").stdout)
    arguments = {"aws_access_key_id": keys["access_key"], "aws_secret_access_key": keys["secret_key"]}
    client, bucket = live.client(**arguments), "hasty-doors"
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    client.put_bucket_website(Bucket=bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    link = live.manage("share_link", "create", "hasty", bucket, "k").stdout.split()[-1]
    live.manage("limit", "set", "account", "hasty", "--requests-per-second", "1")
    live.manage("limit", "set", "bucket", bucket, "--requests-per-second", "1")
    iam, site = live.client("iam", **arguments), unsigned_wire.as_host(f"{bucket}.s3-website.localhost")

    def ask_iam() -> str:
        try:
            iam.get_account_summary()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    def holds(ask: Callable[[], object], refusal: object) -> bool:
        """Ask eight times at once: a busy machine may not manage two in a second one after the other."""
        with ThreadPoolExecutor(8) as pool:
            return refusal in pool.map(lambda _: ask(), range(8))

    path = urlsplit(link).path
    wait_until(lambda: holds(ask_iam, "Throttling"), "IAM is throttled", seconds=60)
    wait_until(lambda: holds(lambda: site.send("GET", "/").status, 503), "the website is", seconds=60)
    wait_until(lambda: holds(lambda: unsigned_wire.send("GET", path).status, 503), "share links are", seconds=60)


def test_annotations_count(live: LiveSystem, owner: Any, bucket: str) -> None:
    def annotate(name: str, size_bytes: int, key: str = "k") -> str:
        try:
            owner.put_object_annotation(
                Bucket=bucket, Key=key, AnnotationName=name, AnnotationPayload=bytes(size_bytes)
            )
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    live.manage("limit", "set", "bucket", bucket, "--bytes", "100")
    assert put(owner, bucket, "k", 10) == ""
    assert [annotate("a", 60), annotate("b", 40), annotate("b", 30)] == ["", "QuotaExceeded", ""]
    assert put(owner, bucket, "l", 1) == "QuotaExceeded"
    assert annotate("a", 50) == ""  # in the place of 60
    assert put(owner, bucket, "l", 10) == ""
    with pytest.raises(ClientError, match="QuotaExceeded"):
        owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    owner.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="a")
    owner.copy_object(Bucket=bucket, Key="l", CopySource={"Bucket": bucket, "Key": "k"})
    assert annotate("c", 21) == "QuotaExceeded"
    assert annotate("c", 20) == ""
    owner.delete_object(Bucket=bucket, Key="k")
    assert put(owner, bucket, "m", 60) == ""
    assert put(owner, bucket, "n", 1) == "QuotaExceeded"


def test_what_was_moved_is_waited_for(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("limit", "set", "key", live.access_key, "--bytes-per-second", "1MiB")
    try:

        def owes() -> bool:
            return put(owner, bucket, "large", 3 << 20) == "SlowDown"

        time.sleep(REFRESH_SECONDS)
        for _ in range(12):  # then each process asks, with the next request that comes to it by a connection of its own
            live.client().head_bucket(Bucket=bucket)
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
