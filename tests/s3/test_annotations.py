"""Annotations: named payloads beside a version, that go and are copied with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.s3.refusals import refused

CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def put(client: Any, bucket: str, name: str, payload: bytes = b"text", **more: Any) -> dict[str, Any]:
    return dict(
        client.put_object_annotation(
            **{"Bucket": bucket, "Key": "k", "AnnotationName": name, "AnnotationPayload": payload, **more}
        )
    )


def get(client: Any, bucket: str, name: str, **more: Any) -> dict[str, Any]:
    return dict(client.get_object_annotation(**{"Bucket": bucket, "Key": "k", "AnnotationName": name, **more}))


def payload(client: Any, bucket: str, name: str, **more: Any) -> bytes:
    return bytes(get(client, bucket, name, **more)["AnnotationPayload"].read())


def names(client: Any, bucket: str, key: str = "k", **more: Any) -> list[str]:
    listed = client.list_object_annotations(Bucket=bucket, Key=key, **more)
    return [item["AnnotationName"] for item in listed.get("Annotations", [])]


@pytest.fixture
def home(owner: Any, bucket: str) -> str:
    """A bucket with the object `k`."""
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    return bucket


def test_a_payload_is_kept_replaced_and_taken_away(owner: Any, home: str) -> None:
    etag = put(owner, home, "labels", "größe".encode())["ETag"]
    read = get(owner, home, "labels", ChecksumMode="ENABLED")
    assert read["ETag"] == etag
    assert read["ContentLength"] == len("größe".encode())
    assert read["AnnotationPayload"].read() == "größe".encode()
    assert "ChecksumCRC32" in read
    large = b"y" * (1 << 20)
    put(owner, home, "labels", large)
    assert payload(owner, home, "labels") == large
    item = owner.list_object_annotations(Bucket=home, Key="k")["Annotations"][0]
    assert (item["AnnotationName"], item["Size"]) == ("labels", 1 << 20)
    for _ in range(2):
        owner.delete_object_annotation(Bucket=home, Key="k", AnnotationName="labels")
    with refused("NoSuchAnnotation", 404):
        get(owner, home, "labels")
    assert names(owner, home) == []


def test_what_is_no_annotation_is_refused(owner: Any, stranger: Any, home: str) -> None:
    with refused("AnnotationNameTooLong", 400):
        put(owner, home, "n" * 513)
    with refused("InvalidAnnotationName", 400):
        put(owner, home, "a\nb")
    with refused("InvalidRequest", 400):
        put(owner, home, "empty", b"")
    with refused("EntityTooLarge", 400):
        put(owner, home, "large", b"x" * ((1 << 20) + 1))
    with refused("UnsupportedMediaType", 415):
        put(owner, home, "binary", b"\xff\xfe")
    with refused("NoSuchKey", 404):
        put(owner, home, "a", Key="none")
    with refused("PreconditionFailed", 412):
        put(owner, home, "a", ObjectIfMatch='"other"')
    with refused("AccessDenied", 403):
        put(stranger, home, "a")
    assert names(owner, home) == []


def test_listings_are_ordered_filtered_and_paged(owner: Any, home: str) -> None:
    for name in ("b/2", "a", "b/1", "c", "ö"):
        put(owner, home, name)
    assert names(owner, home) == ["a", "b/1", "b/2", "c", "ö"]
    assert names(owner, home, AnnotationPrefix="b/") == ["b/1", "b/2"]
    first = owner.list_object_annotations(Bucket=home, Key="k", MaxAnnotationResults=2)
    assert first["AnnotationCount"] == 2
    assert names(owner, home, ContinuationToken=first["NextContinuationToken"]) == ["b/2", "c", "ö"]


def test_versions_have_annotations_of_their_own(owner: Any, versioned: str) -> None:
    first = owner.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    assert put(owner, versioned, "a", b"of the first")["ObjectVersionId"] == first
    owner.put_object(Bucket=versioned, Key="k", Body=b"2")
    assert names(owner, versioned) == []
    assert payload(owner, versioned, "a", VersionId=first) == b"of the first"
    owner.delete_object(Bucket=versioned, Key="k")
    with refused("NoSuchKey", 404):
        names(owner, versioned)


def test_a_copy_takes_them_along_unless_told_otherwise(owner: Any, stranger: Any, home: str) -> None:
    put(owner, home, "a", b"1")
    source = {"Bucket": home, "Key": "k"}
    owner.copy_object(Bucket=home, Key="copy", CopySource=source)
    owner.copy_object(Bucket=home, Key="sealed", CopySource=source, ServerSideEncryption="AES256")
    owner.copy_object(Bucket=home, Key="without", CopySource=source, AnnotationDirective="EXCLUDE")
    owner.rename_object(Bucket=home, Key="renamed", RenameSource="copy")
    assert payload(owner, home, "a", Key="renamed") == b"1"
    assert payload(owner, home, "a", Key="sealed") == b"1"
    assert get(owner, home, "a", Key="sealed")["ServerSideEncryption"] == "AES256"
    assert names(owner, home, "without") == []
    owner.copy_object(Bucket=home, Key="again", CopySource={"Bucket": home, "Key": "sealed"})
    assert payload(owner, home, "a", Key="again") == b"1"


def test_an_object_of_a_customers_key_has_none(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", **CUSTOMER_KEY)
    with refused("InvalidRequest", 400):
        put(owner, bucket, "a")


def test_there_are_at_most_a_thousand(owner: Any, home: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: put(owner, home, f"n{number}"), range(1_000)))
    with refused("AnnotationLimitExceeded", 400):
        put(owner, home, "one more")
    put(owner, home, "n1", b"replaced")
    assert len(names(owner, home)) == 1_000


def test_object_lock_keeps_them(owner: Any) -> None:
    bucket = "locked-annotations"
    owner.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    owner.put_object(Bucket=bucket, Key="k", Body=b"x")
    put(owner, bucket, "a")
    owner.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "ON"})
    with refused("AccessDenied", 403):
        owner.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="a")
    with refused("AccessDenied", 403):
        put(owner, bucket, "a", b"other")
    put(owner, bucket, "b")
    assert names(owner, bucket) == ["a", "b"]
