"""Appending: exact under rivals, in place or as a new version, with all else of the object kept."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from s3protocol.checksums import ChecksumAlgorithm, new_checksum
from tests.s3.refusals import refused

CUSTOMER_KEY = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}


def append(client: Any, bucket: str, offset: int, body: bytes, key: str = "log", **more: Any) -> dict[str, Any]:
    return dict(client.put_object(Bucket=bucket, Key=key, Body=body, WriteOffsetBytes=offset, **more))


def read(client: Any, bucket: str, key: str = "log", **more: Any) -> bytes:
    return bytes(client.get_object(Bucket=bucket, Key=key, **more)["Body"].read())


def test_pieces_are_appended_one_after_the_other(owner: Any, bucket: str) -> None:
    pieces = [os.urandom(size) for size in (1_000, 300_000, 9 << 20, 1)]
    whole = b""
    for number, piece in enumerate(pieces):
        answer = append(owner, bucket, len(whole), piece, **({} if number else {"Metadata": {"a": "b"}}))
        whole += piece
        assert answer.get("Size", len(whole)) == len(whole)
    head = owner.head_object(Bucket=bucket, Key="log", ChecksumMode="ENABLED")
    assert head["ETag"] == answer["ETag"]
    assert head["Metadata"] == {"a": "b"}
    checksum = new_checksum(ChecksumAlgorithm.CRC32)
    checksum.update(whole)
    assert head["ChecksumCRC32"] == checksum.base64()
    assert read(owner, bucket) == whole
    assert read(owner, bucket, Range="bytes=999-301000") == whole[999:301_001]
    assert owner.list_objects_v2(Bucket=bucket)["Contents"][0]["Size"] == len(whole)


def test_an_offset_that_is_not_the_size_is_refused(owner: Any, bucket: str) -> None:
    with refused("InvalidWriteOffset", 400):
        append(owner, bucket, 1, b"x")
    append(owner, bucket, 0, b"abc")
    for offset in (0, 2, 4):
        with refused("InvalidWriteOffset", 400):
            append(owner, bucket, offset, b"x")
    assert read(owner, bucket) == b"abc"


def test_conditions_and_changes_are_judged(owner: Any, stranger: Any, bucket: str) -> None:
    etag = append(owner, bucket, 0, b"abc")["ETag"]
    with refused("PreconditionFailed", 412):
        append(owner, bucket, 3, b"x", IfMatch='"other"')
    with refused("PreconditionFailed", 412):
        append(owner, bucket, 3, b"x", IfNoneMatch="*")
    with refused("InvalidRequest", 400):
        append(owner, bucket, 3, b"x", Metadata={"a": "b"})
    with refused("InvalidRequest", 400):
        append(owner, bucket, 3, b"x", ChecksumAlgorithm="SHA256")
    with refused("AccessDenied", 403):
        append(stranger, bucket, 3, b"x")
    append(owner, bucket, 3, b"def", IfMatch=etag)
    assert read(owner, bucket) == b"abcdef"


def test_of_many_who_append_at_once_each_byte_comes_once(owner: Any, bucket: str) -> None:
    append(owner, bucket, 0, b"")
    line = 50

    def write_lines(writer: int) -> None:
        done = 0
        while done < 5:
            size = owner.head_object(Bucket=bucket, Key="log")["ContentLength"]
            try:
                append(owner, bucket, size, f"{writer} {done}".ljust(line - 1).encode() + b"\n")
            except ClientError as error:
                if error.response["Error"]["Code"] not in {"InvalidWriteOffset", "ConditionalRequestConflict"}:
                    raise
                continue
            done += 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_lines, range(4)))
    lines = [text.strip() for text in read(owner, bucket).decode().splitlines()]
    assert sorted(lines) == sorted(f"{writer} {done}" for writer in range(4) for done in range(5))
    for writer in range(4):
        assert [text for text in lines if text.startswith(f"{writer} ")] == [f"{writer} {done}" for done in range(5)]


def test_where_versions_are_kept_an_append_is_a_new_one(owner: Any, versioned: str) -> None:
    first = append(owner, versioned, 0, b"abc")["VersionId"]
    second = append(owner, versioned, 3, b"def")["VersionId"]
    assert first != second
    assert read(owner, versioned, VersionId=first) == b"abc"
    assert read(owner, versioned, VersionId=second) == read(owner, versioned) == b"abcdef"


@pytest.mark.parametrize("encryption", [{"ServerSideEncryption": "AES256"}, CUSTOMER_KEY], ids=["sse-s3", "sse-c"])
def test_what_is_appended_to_the_encrypted_is_encrypted(owner: Any, bucket: str, encryption: dict[str, str]) -> None:
    key = encryption if "SSECustomerKey" in encryption else {}
    append(owner, bucket, 0, b"abc" * 50_000, **encryption)
    append(owner, bucket, 150_000, b"def" * 50_000, **key)
    assert read(owner, bucket, **key) == b"abc" * 50_000 + b"def" * 50_000
    if key:
        with refused("InvalidRequest", 400):
            append(owner, bucket, 300_000, b"x")


def test_a_copy_and_parts_grow_apart_from_their_source(owner: Any, bucket: str, part: bytes) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="log")["UploadId"]
    etag = owner.upload_part(Bucket=bucket, Key="log", UploadId=upload, PartNumber=1, Body=part)["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    owner.complete_multipart_upload(Bucket=bucket, Key="log", UploadId=upload, MultipartUpload=parts)
    owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "log"})
    append(owner, bucket, len(part), b"source")
    append(owner, bucket, len(part), b"copy", key="copy")
    assert read(owner, bucket) == part + b"source"
    assert read(owner, bucket, "copy") == part + b"copy"
