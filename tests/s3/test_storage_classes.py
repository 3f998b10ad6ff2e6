"""Storage classes: what is put there, what lifecycle rules move there, and archives that are read once restored."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.live.processes import wait_until
from tests.s3.refusals import refused
from tests.s3.test_lifecycle import put_rules

PATIENCE_SECONDS = 60
ARCHIVED = "InvalidObjectState"
CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def restore(client: Any, bucket: str, key: str = "k", *, days: int = 1, tier: str | None = None, **more: Any) -> int:
    request = {"Days": days, **({"GlacierJobParameters": {"Tier": tier}} if tier else {})}
    answer = client.restore_object(Bucket=bucket, Key=key, RestoreRequest=request, **more)
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def storage_class(client: Any, bucket: str, key: str = "k", **more: Any) -> str:
    return str(client.head_object(Bucket=bucket, Key=key, **more).get("StorageClass", "STANDARD"))


def wait_for_class(client: Any, bucket: str, expected: str, key: str = "k", **more: Any) -> None:
    wait_until(
        lambda: storage_class(client, bucket, key, **more) == expected, f"{key} is {expected}", seconds=PATIENCE_SECONDS
    )


def wait_until_restored(client: Any, bucket: str, key: str = "k", **more: Any) -> str:
    def told() -> str:
        return str(client.head_object(Bucket=bucket, Key=key, **more).get("Restore", ""))

    wait_until(lambda: 'ongoing-request="false"' in told(), "it is restored", seconds=PATIENCE_SECONDS)
    return told()


@pytest.mark.parametrize("name", ["STANDARD_IA", "ONEZONE_IA", "REDUCED_REDUNDANCY", "GLACIER_IR", "GLACIER"])
def test_an_object_is_in_the_class_that_it_was_put_in(owner: Any, bucket: str, name: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass=name)
    assert storage_class(owner, bucket) == name
    assert owner.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == name
    attributes = owner.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["StorageClass"])
    assert attributes["StorageClass"] == name


def test_a_class_that_there_is_not_is_refused(owner: Any, bucket: str) -> None:
    for name in ("TAPE", "OUTPOSTS"):
        with refused("InvalidStorageClass", 400):
            owner.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass=name)
        with refused("InvalidStorageClass", 400):
            put_rules(owner, bucket, {"Filter": {}, "Transitions": [{"Days": 1, "StorageClass": name}]})


def test_a_copy_changes_the_class(owner: Any, bucket: str) -> None:
    body = os.urandom(300_000)
    owner.put_object(Bucket=bucket, Key="k", Body=body)
    source = {"Bucket": bucket, "Key": "k"}
    owner.copy_object(Bucket=bucket, Key="k", CopySource=source, StorageClass="STANDARD_IA")
    assert storage_class(owner, bucket) == "STANDARD_IA"
    owner.copy_object(Bucket=bucket, Key="archived", CopySource=source, StorageClass="DEEP_ARCHIVE")
    assert storage_class(owner, bucket, "archived") == "DEEP_ARCHIVE"
    owner.copy_object(Bucket=bucket, Key="k2", CopySource=source)
    assert storage_class(owner, bucket, "k2") == "STANDARD"
    assert owner.get_object(Bucket=bucket, Key="k2")["Body"].read() == body
    owner.restore_object(Bucket=bucket, Key="archived", RestoreRequest={"Days": 3})
    wait_until_restored(owner, bucket, "archived")
    assert owner.get_object(Bucket=bucket, Key="archived")["Body"].read() == body


def test_what_is_archived_is_read_once_it_is_restored(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"archived", StorageClass="GLACIER", Metadata={"a": "b"})
    assert owner.head_object(Bucket=bucket, Key="k")["Metadata"] == {"a": "b"}
    for read in (
        lambda: owner.get_object(Bucket=bucket, Key="k"),
        lambda: owner.get_object(Bucket=bucket, Key="k", Range="bytes=0-1"),
        lambda: owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"}),
    ):
        with refused(ARCHIVED, 403) as response:
            read()
        assert response["Error"]["StorageClass"] == "GLACIER"
    upload_id = owner.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    with refused(ARCHIVED, 403):
        owner.upload_part_copy(
            Bucket=bucket, Key="copy", UploadId=upload_id, PartNumber=1, CopySource={"Bucket": bucket, "Key": "k"}
        )

    assert restore(owner, bucket, days=10_000) == 202
    told = wait_until_restored(owner, bucket)
    assert "expiry-date=" in told
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"archived"
    assert storage_class(owner, bucket) == "GLACIER"
    for listing, name in ((owner.list_objects_v2, "Contents"), (owner.list_object_versions, "Versions")):
        item = listing(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"])[name][0]
        assert item["RestoreStatus"]["IsRestoreInProgress"] is False
        assert "RestoreStatus" not in listing(Bucket=bucket)[name][0]

    assert restore(owner, bucket, days=1) == 200
    wait_until(lambda: "Restore" not in owner.head_object(Bucket=bucket, Key="k"), "its days end", seconds=60)
    with refused(ARCHIVED, 403):
        owner.get_object(Bucket=bucket, Key="k")


def test_restores_that_make_no_sense_are_refused(owner: Any, stranger: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"x")
    with refused(ARCHIVED, 403):
        restore(owner, versioned)
    owner.put_object(Bucket=versioned, Key="deep", Body=b"x", StorageClass="DEEP_ARCHIVE")
    with refused("InvalidArgument", 400):
        restore(owner, versioned, "deep", tier="Expedited")
    with refused("InvalidArgument", 400):
        restore(owner, versioned, "deep", days=0)
    with refused("MalformedXML", 400):
        owner.restore_object(Bucket=versioned, Key="deep", RestoreRequest={"Tier": "Bulk"})
    with refused("NotImplemented", 501):
        owner.restore_object(Bucket=versioned, Key="deep", RestoreRequest={"Type": "SELECT", "Days": 1})
    with refused("NoSuchKey", 404):
        restore(owner, versioned, "none")
    with refused("AccessDenied", 403):
        restore(stranger, versioned, "deep")
    marker = owner.delete_object(Bucket=versioned, Key="deep")["VersionId"]
    with refused("MethodNotAllowed", 405):
        restore(owner, versioned, "deep", VersionId=marker)


def test_rules_move_objects_and_nothing_else_about_them_changes(owner: Any, versioned: str) -> None:
    body = os.urandom(9 << 20)
    for key, more in {
        "plain": {},
        "small": {},
        "sse": {"ServerSideEncryption": "AES256"},
        "customer": CUSTOMER_KEY,
        "other": {},
    }.items():
        owner.put_object(Bucket=versioned, Key=key, Body=body[:10] if key == "small" else body, **more)
    keys = {"customer": CUSTOMER_KEY}
    before = {
        key: owner.head_object(Bucket=versioned, Key=key, ChecksumMode="ENABLED", **keys.get(key, {}))
        for key in ("plain", "small", "sse", "customer")
    }
    put_rules(
        owner,
        versioned,
        {"Filter": {"Prefix": "other"}, "Transitions": [{"Days": 9_000, "StorageClass": "GLACIER"}]},
        *(
            {"Filter": {"Prefix": key}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}
            for key in ("plain", "small", "sse", "customer")
        ),
    )
    for key, head in before.items():
        wait_for_class(owner, versioned, "GLACIER", key, **keys.get(key, {}))
        now = owner.head_object(Bucket=versioned, Key=key, ChecksumMode="ENABLED", **keys.get(key, {}))
        for name in ("ETag", "LastModified", "VersionId", "ContentLength", "ChecksumCRC32"):
            assert now[name] == head[name]
    assert storage_class(owner, versioned, "other") == "STANDARD"
    for key in before:
        restore(owner, versioned, key, days=10_000)
    for key in before:
        wait_until_restored(owner, versioned, key, **keys.get(key, {}))
        read = owner.get_object(Bucket=versioned, Key=key, **keys.get(key, {}))["Body"].read()
        assert read == (body[:10] if key == "small" else body)


def test_noncurrent_versions_move_and_the_newest_of_them_stay(owner: Any, versioned: str) -> None:
    ids = [owner.put_object(Bucket=versioned, Key="k", Body=str(n).encode())["VersionId"] for n in range(3)]
    put_rules(
        owner,
        versioned,
        {
            "Filter": {},
            "NoncurrentVersionTransitions": [
                {"NoncurrentDays": 1, "StorageClass": "STANDARD_IA", "NewerNoncurrentVersions": 1}
            ],
        },
    )
    wait_for_class(owner, versioned, "STANDARD_IA", VersionId=ids[0])
    assert owner.get_object(Bucket=versioned, Key="k", VersionId=ids[0])["Body"].read() == b"0"
    assert [storage_class(owner, versioned, VersionId=one) for one in ids[1:]] == ["STANDARD", "STANDARD"]
