"""Server-side encryption of objects and uploads: what is on the disks, what is read, what is shown and refused."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

import pytest

from tests.live.system import LiveSystem
from tests.s3.encryption import KEY, OTHER_KEY, WAYS, customer, fragments, is_on_a_disk, shown
from tests.s3.refusals import refused
from tests.s3.wire import Wire

MARK = b"a pattern that no cipher would write by chance, " * 4


@pytest.fixture(scope="module", autouse=True)
def kms_key(live: LiveSystem) -> str:
    """The key that tests name."""
    return live.manage("create_kms_key", "test-key").stdout.strip()


@pytest.mark.parametrize("way", list(WAYS))
@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 600_000, 9 << 20])
def test_what_is_written_is_read_whole_and_in_ranges(owner: Any, bucket: str, way: str, size: int) -> None:
    write, read = WAYS[way]
    body = os.urandom(size)
    owner.put_object(Bucket=bucket, Key="k", Body=body, **write)
    assert owner.get_object(Bucket=bucket, Key="k", **read)["Body"].read() == body
    for first, last in ((0, 0), (1, 65_536), (65_530, 65_545), (524_000, 599_998), ((8 << 20) - 3, (8 << 20) + 70_000)):
        if last < size:
            got = owner.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}", **read)
            assert got["Body"].read() == body[first : last + 1]


@pytest.mark.parametrize("way", ["sse-s3", "sse-kms", "sse-c"])
@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_no_plain_byte_is_on_a_disk(live: LiveSystem, owner: Any, bucket: str, way: str, size: int) -> None:
    mark = os.urandom(48)
    owner.put_object(Bucket=bucket, Key="k", Body=mark * (size // 48), **WAYS[way][0])
    upload = owner.create_multipart_upload(Bucket=bucket, Key="m", **WAYS[way][0])["UploadId"]
    owner.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=mark * 100, **WAYS[way][1])
    assert not is_on_a_disk(live, mark)


def test_the_look_at_the_disks_sees_what_is_plain(live: LiveSystem, owner: Any, bucket: str) -> None:
    mark = os.urandom(48)
    owner.put_object(Bucket=bucket, Key="k", Body=mark)
    assert is_on_a_disk(live, mark)


def test_the_keys_are_not_on_a_disk_nor_in_the_log(live: LiveSystem, owner: Any, bucket: str) -> None:
    key = os.urandom(32)
    owner.put_object(Bucket=bucket, Key="k", Body=MARK, **customer(key))
    with refused("AccessDenied", 403):
        owner.get_object(Bucket=bucket, Key="k", **customer(OTHER_KEY))
    assert not is_on_a_disk(live, key)
    assert base64.b64encode(key).decode() not in live.log


def test_answers_say_how_a_version_is_encrypted(owner: Any, bucket: str, kms_key: str) -> None:
    prefix = "x-amz-server-side-encryption"
    customers = {
        f"{prefix}-customer-algorithm": "AES256",
        f"{prefix}-customer-key-md5": customer(KEY)["SSECustomerKeyMD5"],
    }
    expected = {
        "plain": {},
        "sse-s3": {prefix: "AES256"},
        "sse-kms": {prefix: "aws:kms", f"{prefix}-aws-kms-key-id": "test-key"},
        "sse-c": customers,
    }
    for way, headers in expected.items():
        write, read = WAYS[way]
        assert shown(owner.put_object(Bucket=bucket, Key="k", Body=b"body", **write)) == headers
        assert shown(owner.get_object(Bucket=bucket, Key="k", **read)) == headers
        assert shown(owner.head_object(Bucket=bucket, Key="k", **read)) == headers
        created = owner.create_multipart_upload(Bucket=bucket, Key="m", **write)
        assert shown(created) == headers
        upload = {"Bucket": bucket, "Key": "m", "UploadId": created["UploadId"]}
        part = owner.upload_part(**upload, PartNumber=1, Body=b"part", **read)
        assert shown(part) == headers
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        assert shown(owner.complete_multipart_upload(**upload, MultipartUpload=parts, **read)) == headers


def test_a_key_is_shown_as_it_was_named_and_the_default_key_by_its_arn(owner: Any, bucket: str, kms_key: str) -> None:
    named = owner.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=kms_key)
    assert named["SSEKMSKeyId"] == kms_key == "arn:aws:kms:us-east-1:000000000000:key/test-key"
    default = owner.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms")
    assert default["SSEKMSKeyId"].startswith("arn:aws:kms:")


def test_etags_are_md5_only_where_the_content_may_be_told_from_them(owner: Any, bucket: str) -> None:
    md5 = f'"{hashlib.md5(MARK).hexdigest()}"'
    etags = {
        way: [owner.put_object(Bucket=bucket, Key="k", Body=MARK, **WAYS[way][0])["ETag"] for _ in range(2)]
        for way in WAYS
    }
    assert etags["plain"] == etags["sse-s3"] == [md5, md5]
    hidden = [*etags["sse-kms"], *etags["sse-c"], *etags["sse-c-other"]]
    assert len({md5, *hidden}) == 7
    assert all(len(etag) == 34 for etag in hidden)


def test_the_context_is_answered_to_the_write_and_bound(owner: Any, bucket: str) -> None:
    context = base64.b64encode(b'{"b": "2", "a": "1"}').decode()
    put = owner.put_object(
        Bucket=bucket, Key="k", Body=MARK, ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=context
    )
    assert base64.b64decode(put["SSEKMSEncryptionContext"]) == b'{"a":"1","b":"2"}'
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == MARK


@pytest.mark.parametrize(
    "context", ["no base 64", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"a":1}').decode()]
)
def test_a_context_that_is_none_is_refused(owner: Any, bucket: str, context: str) -> None:
    with refused("InvalidArgument", 400):
        owner.put_object(
            Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=context
        )


def test_an_unknown_kms_key_is_told(owner: Any, bucket: str) -> None:
    for name in ("nobody", "arn:aws:kms:us-east-1:000000000000:key/nobody", "objstore-s3"):
        with refused("KMS.NotFoundException", 400):
            owner.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=name)


def test_contradictions_are_refused(owner: Any, bucket: str) -> None:
    for arguments in (
        {"ServerSideEncryption": "AES256", **customer(KEY)},
        {"ServerSideEncryption": "aws:kms", **customer(KEY)},
        {"ServerSideEncryption": "AES256", "SSEKMSKeyId": "test-key"},
        {"SSEKMSKeyId": "test-key"},
        {"ServerSideEncryption": "aes:kms"},
        {"ServerSideEncryption": "aws:fsx"},
    ):
        with refused("InvalidArgument", 400):
            owner.put_object(Bucket=bucket, Key="k", Body=b"", **arguments)
    with refused("NotImplemented", 501):
        owner.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms:dsse")


@pytest.mark.parametrize(
    "changed",
    [
        {"algorithm": "AES128"},
        {"algorithm": None},
        {"key": None},
        {"key": "no base 64"},
        {"key": base64.b64encode(b"short").decode()},
        {"key-MD5": None},
        {"key-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"key-MD5": "no base 64"},
    ],
)
def test_a_customer_key_that_cannot_be_is_refused(wire: Wire, bucket: str, changed: dict[str, str | None]) -> None:
    arguments = customer(KEY)
    given = {
        "algorithm": arguments["SSECustomerAlgorithm"],
        "key": arguments["SSECustomerKey"],
        "key-MD5": arguments["SSECustomerKeyMD5"],
        **changed,
    }
    headers = {
        f"x-amz-server-side-encryption-customer-{name}": value for name, value in given.items() if value is not None
    }
    answer = wire.send("PUT", f"/{bucket}/k", headers=headers, body=b"body")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert given["key"] is None or given["key"].encode() not in answer.body


def test_a_customers_object_is_read_with_its_key_alone(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=MARK, **customer(KEY))
    attributes = {"Bucket": bucket, "Key": "k", "ObjectAttributes": ["ObjectSize"]}
    with refused("InvalidRequest", 400) as response:
        owner.get_object(Bucket=bucket, Key="k")
    assert "stored using a form of Server Side Encryption" in response["Error"]["Message"]
    with refused("400", 400):
        owner.head_object(Bucket=bucket, Key="k")
    with refused("InvalidRequest", 400):
        owner.get_object_attributes(**attributes)
    with refused("AccessDenied", 403):
        owner.get_object(Bucket=bucket, Key="k", **customer(OTHER_KEY))
    with refused("403", 403):
        owner.head_object(Bucket=bucket, Key="k", **customer(OTHER_KEY))
    assert owner.get_object_attributes(**attributes, **customer(KEY))["ObjectSize"] == len(MARK)


@pytest.mark.parametrize("way", ["plain", "sse-s3", "sse-kms"])
def test_a_customer_key_for_what_is_not_a_customers_is_refused(owner: Any, bucket: str, way: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=MARK, **WAYS[way][0])
    with refused("InvalidRequest", 400):
        owner.get_object(Bucket=bucket, Key="k", **customer(KEY))


def test_a_read_takes_no_order_how_to_encrypt(owner: Any, wire: Wire, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=MARK, ServerSideEncryption="AES256")
    for method in ("GET", "HEAD"):
        answer = wire.send(method, f"/{bucket}/k", headers={"x-amz-server-side-encryption": "AES256"})
        assert answer.status == 400


@pytest.mark.parametrize("way", ["sse-s3", "sse-kms", "sse-c"])
def test_an_upload_in_parts_is_encrypted_by_one_key(owner: Any, bucket: str, part: bytes, way: str) -> None:
    write, read = WAYS[way]
    tail = os.urandom(100_001)
    created = owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", **write)
    upload = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"]}
    parts = []
    for number, body in ((1, part), (2, tail)):
        done = owner.upload_part(**upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32", **read)
        parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumCRC32": done["ChecksumCRC32"]})
    owner.list_parts(**upload, **read)
    owner.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **read)
    assert owner.get_object(Bucket=bucket, Key="k", **read)["Body"].read() == part + tail
    assert owner.get_object(Bucket=bucket, Key="k", PartNumber=2, **read)["Body"].read() == tail
    border = len(part)
    got = owner.get_object(Bucket=bucket, Key="k", Range=f"bytes={border - 70_000}-{border + 70_000}", **read)
    assert got["Body"].read() == (part + tail)[border - 70_000 : border + 70_001]


def test_parts_of_a_customers_upload_need_its_key(owner: Any, bucket: str) -> None:
    created = owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", **customer(KEY))
    upload = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"]}
    for arguments in ({}, customer(OTHER_KEY)):
        with refused("InvalidRequest", 400):
            owner.upload_part(**upload, PartNumber=1, Body=b"part", **arguments)
    done = owner.upload_part(**upload, PartNumber=1, Body=b"part", ChecksumAlgorithm="CRC32", **customer(KEY))
    parts = {"Parts": [{"PartNumber": 1, "ETag": done["ETag"], "ChecksumCRC32": done["ChecksumCRC32"]}]}
    for arguments in ({}, customer(OTHER_KEY)):
        with refused("InvalidRequest", 400):
            owner.complete_multipart_upload(**upload, MultipartUpload=parts, **arguments)
    owner.complete_multipart_upload(**upload, MultipartUpload=parts, **customer(KEY))


def test_a_checksum_that_a_part_brought_makes_its_completion_ask_for_the_key(owner: Any, bucket: str) -> None:
    for algorithm, needs_key in (("CRC32C", True), ("CRC64NVME", False)):
        created = owner.create_multipart_upload(Bucket=bucket, Key="k", **customer(KEY))
        upload = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"]}
        done = owner.upload_part(**upload, PartNumber=1, Body=b"part", ChecksumAlgorithm=algorithm, **customer(KEY))
        parts = {"Parts": [{"PartNumber": 1, "ETag": done["ETag"]}]}
        if needs_key:
            with refused("InvalidRequest", 400):
                owner.complete_multipart_upload(**upload, MultipartUpload=parts)
            owner.complete_multipart_upload(**upload, MultipartUpload=parts, **customer(KEY))
        else:
            owner.complete_multipart_upload(**upload, MultipartUpload=parts)
        assert owner.get_object(Bucket=bucket, Key="k", **customer(KEY))["Body"].read() == b"part"


def test_a_part_takes_no_key_that_its_upload_has_not(owner: Any, bucket: str) -> None:
    created = owner.create_multipart_upload(Bucket=bucket, Key="k")
    with refused("InvalidRequest", 400):
        owner.upload_part(
            Bucket=bucket, Key="k", UploadId=created["UploadId"], PartNumber=1, Body=b"part", **customer(KEY)
        )


def test_a_refused_key_leaves_nothing_on_the_disks(live: LiveSystem, owner: Any, bucket: str) -> None:
    before = fragments(live)
    with refused("KMS.NotFoundException", 400):
        owner.put_object(
            Bucket=bucket, Key="k", Body=os.urandom(50_000), ServerSideEncryption="aws:kms", SSEKMSKeyId="no"
        )
    assert fragments(live) <= before
