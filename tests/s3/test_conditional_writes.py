"""Conditional writes: If-None-Match and If-Match decide exactly, however many clients write at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.live.system import LiveSystem
from tests.s3.refusals import refused

WRITERS = 12
OTHER_ETAG = '"00000000000000000000000000000000"'


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run all calls at the same time; return their results, or the error codes of those that were refused."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@pytest.fixture(scope="module")
def clients(live: LiveSystem) -> list[Any]:
    """A client for each writer."""
    return [live.client() for _ in range(WRITERS)]


def test_a_key_that_is_free_is_written(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"x", IfNoneMatch="*")
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_a_key_that_is_taken_is_not_overwritten(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    with refused("PreconditionFailed", 412) as answer:
        owner.put_object(Bucket=bucket, Key="k", Body=b"second", IfNoneMatch="*")
    assert answer["Error"]["Condition"] == "If-None-Match"
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


def test_a_deleted_key_is_free_again(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    owner.delete_object(Bucket=bucket, Key="k")
    owner.put_object(Bucket=bucket, Key="k", Body=b"second", IfNoneMatch="*")
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


def test_a_key_under_a_delete_marker_is_free(owner: Any, versioned: str) -> None:
    owner.put_object(Bucket=versioned, Key="k", Body=b"first")
    owner.delete_object(Bucket=versioned, Key="k")
    owner.put_object(Bucket=versioned, Key="k", Body=b"second", IfNoneMatch="*")
    assert owner.get_object(Bucket=versioned, Key="k")["Body"].read() == b"second"


def test_the_etag_that_is_there_may_be_replaced(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="k", Body=b"first")["ETag"]
    owner.put_object(Bucket=bucket, Key="k", Body=b"second", IfMatch=etag)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


def test_another_etag_is_not_replaced(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    with refused("PreconditionFailed", 412) as answer:
        owner.put_object(Bucket=bucket, Key="k", Body=b"second", IfMatch=OTHER_ETAG)
    assert answer["Error"]["Condition"] == "If-Match"
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


def test_a_match_with_a_missing_key_finds_no_key(owner: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x", IfMatch=OTHER_ETAG)
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_match_with_a_delete_marker_finds_no_key(owner: Any, versioned: str) -> None:
    etag = owner.put_object(Bucket=versioned, Key="k", Body=b"first")["ETag"]
    owner.delete_object(Bucket=versioned, Key="k")
    with refused("NoSuchKey", 404):
        owner.put_object(Bucket=versioned, Key="k", Body=b"second", IfMatch=etag)


def test_if_none_match_may_name_an_etag(owner: Any, bucket: str) -> None:
    etag = owner.put_object(Bucket=bucket, Key="k", Body=b"first")["ETag"]
    with refused("PreconditionFailed", 412):
        owner.put_object(Bucket=bucket, Key="k", Body=b"second", IfNoneMatch=etag)
    owner.put_object(Bucket=bucket, Key="k", Body=b"third", IfNoneMatch=OTHER_ETAG)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"third"


def test_completing_an_upload_obeys_the_conditions(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = owner.upload_part(**named, PartNumber=1, Body=b"second")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    with refused("PreconditionFailed", 412):
        owner.complete_multipart_upload(**named, MultipartUpload=parts, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        owner.complete_multipart_upload(**named, MultipartUpload=parts, IfMatch=OTHER_ETAG)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"
    there = owner.head_object(Bucket=bucket, Key="k")["ETag"]
    owner.complete_multipart_upload(**named, MultipartUpload=parts, IfMatch=there)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


def test_copying_obeys_the_conditions(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="source", Body=b"x")
    owner.put_object(Bucket=bucket, Key="k", Body=b"first")
    source = {"Bucket": bucket, "Key": "source"}
    with refused("PreconditionFailed", 412):
        owner.copy_object(Bucket=bucket, Key="k", CopySource=source, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        owner.copy_object(Bucket=bucket, Key="k", CopySource=source, IfMatch=OTHER_ETAG)
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


# At once


@pytest.mark.parametrize("versioning", [None, "Enabled"])
def test_of_many_writers_of_a_free_key_exactly_one_wins(
    owner: Any, clients: list[Any], bucket: str, versioning: str | None
) -> None:
    if versioning:
        owner.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})
    for round_number in range(5):
        key = f"k{round_number}"
        results = at_once(
            *(
                lambda number=number, client=client, key=key: client.put_object(
                    Bucket=bucket, Key=key, Body=str(number).encode(), IfNoneMatch="*"
                )
                for number, client in enumerate(clients)
            )
        )
        winners = [number for number, result in enumerate(results) if isinstance(result, dict)]
        assert len(winners) == 1
        assert set(map(str, (result for result in results if not isinstance(result, dict)))) == {"PreconditionFailed"}
        assert owner.get_object(Bucket=bucket, Key=key)["Body"].read() == str(winners[0]).encode()
    listed = owner.list_object_versions(Bucket=bucket)["Versions"]
    assert len(listed) == 5


def test_a_counter_under_compare_and_swap_loses_no_step(owner: Any, clients: list[Any], bucket: str) -> None:
    steps_each = 4
    owner.put_object(Bucket=bucket, Key="counter", Body=b"0")

    def count(client: Any) -> None:
        done = 0
        while done < steps_each:
            got = client.get_object(Bucket=bucket, Key="counter")
            value = int(got["Body"].read())
            try:
                client.put_object(Bucket=bucket, Key="counter", Body=str(value + 1).encode(), IfMatch=got["ETag"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "PreconditionFailed":
                    raise
            else:
                done += 1

    outcomes = at_once(*(lambda client=client: count(client) for client in clients[:6]))
    assert outcomes == [None] * 6
    assert owner.get_object(Bucket=bucket, Key="counter")["Body"].read() == str(6 * steps_each).encode()


def test_of_many_completions_against_one_etag_exactly_one_wins(owner: Any, clients: list[Any], bucket: str) -> None:
    there = owner.put_object(Bucket=bucket, Key="k", Body=b"start")["ETag"]
    completions = []
    for number, client in enumerate(clients[:6]):
        upload = owner.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
        named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
        etag = owner.upload_part(**named, PartNumber=1, Body=str(number).encode())["ETag"]
        completions.append(
            lambda client=client, named=named, etag=etag: client.complete_multipart_upload(
                **named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}, IfMatch=there
            )
        )
    results = at_once(*completions)
    winners = [number for number, result in enumerate(results) if isinstance(result, dict)]
    assert len(winners) == 1
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == str(winners[0]).encode()


def test_a_conditional_delete_never_takes_a_newer_object(owner: Any, clients: list[Any], bucket: str) -> None:
    for _ in range(5):
        etag = owner.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
        deletes = [
            lambda client=client, etag=etag: client.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
            for client in clients[:5]
        ]
        results = at_once(lambda: owner.put_object(Bucket=bucket, Key="k", Body=b"new"), *deletes)
        assert {result for result in results if isinstance(result, str)} <= {"PreconditionFailed"}
        assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"


def test_readers_beside_writers_see_whole_bodies(owner: Any, clients: list[Any], bucket: str) -> None:
    bodies = [bytes([number]) * (700_000 + number) for number in range(4)]
    owner.put_object(Bucket=bucket, Key="k", Body=bodies[0])

    def write(client: Any, body: bytes) -> None:
        for _ in range(4):
            client.put_object(Bucket=bucket, Key="k", Body=body)

    def read(client: Any) -> list[bytes]:
        return [client.get_object(Bucket=bucket, Key="k")["Body"].read() for _ in range(8)]

    writing = [
        lambda client=client, body=body: write(client, body) for client, body in zip(clients, bodies, strict=False)
    ]
    reading = [lambda client=client: read(client) for client in clients[4:8]]
    seen = [body for result in at_once(*writing, *reading) if result for body in result]
    assert len(seen) == 32
    assert all(body in bodies for body in seen)
