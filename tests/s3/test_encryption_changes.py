"""Encryption that changes: copies in all combinations, updates, rotation, defaults of buckets, history."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.faults.store import query
from tests.live.system import LiveSystem
from tests.s3.encryption import KEY, WAYS, Arguments, customer, fragments, is_on_a_disk, shown, source_of
from tests.s3.refusals import refused


@pytest.fixture(scope="module", autouse=True)
def kms_key(live: LiveSystem) -> str:
    """The key that tests name."""
    return live.manage("create_kms_key", "test-key").stdout.strip()


def encryption(way: str) -> str:
    return {"plain": "", "sse-s3": "AES256", "sse-kms": "aws:kms"}.get(way, "customer")


@pytest.mark.parametrize("source", list(WAYS))
@pytest.mark.parametrize("destination", list(WAYS))
def test_copies_are_encrypted_as_asked(owner: Any, bucket: str, source: str, destination: str) -> None:
    body = os.urandom(200_000)
    owner.put_object(Bucket=bucket, Key="source", Body=body, **WAYS[source][0])
    copy = owner.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource={"Bucket": bucket, "Key": "source"},
        **WAYS[destination][0],
        **source_of(source),
    )
    expected = "sse-s3" if destination == "plain" and source != "plain" else destination
    got = owner.get_object(Bucket=bucket, Key="copy", **WAYS[destination][1])
    assert got["Body"].read() == body
    assert shown(got) == shown(copy)
    assert got.get("ServerSideEncryption", "") == encryption(expected).replace("customer", "")
    assert ("SSECustomerAlgorithm" in got) == (encryption(expected) == "customer")
    assert owner.get_object(Bucket=bucket, Key="source", **WAYS[source][1])["Body"].read() == body


@pytest.mark.parametrize("source", list(WAYS))
@pytest.mark.parametrize("destination", list(WAYS))
def test_parts_are_copied_from_and_to_every_encryption(
    owner: Any, bucket: str, part: bytes, source: str, destination: str
) -> None:
    body = os.urandom(300_000)
    owner.put_object(Bucket=bucket, Key="source", Body=part + body, **WAYS[source][0])
    created = owner.create_multipart_upload(Bucket=bucket, Key="k", **WAYS[destination][0])
    upload = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"]}
    keys = {**WAYS[destination][1], **source_of(source)}
    copied = {"CopySource": {"Bucket": bucket, "Key": "source"}, **keys}
    size = len(part)
    first = owner.upload_part_copy(**upload, PartNumber=1, CopySourceRange=f"bytes=100-{size + 99}", **copied)
    last = owner.upload_part_copy(**upload, PartNumber=2, CopySourceRange=f"bytes={size + 7}-{size + 70_000}", **copied)
    parts = [{"PartNumber": n, "ETag": one["CopyPartResult"]["ETag"]} for n, one in ((1, first), (2, last))]
    owner.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **WAYS[destination][1])
    whole = part + body
    expected = whole[100 : size + 100] + whole[size + 7 : size + 70_001]
    assert owner.get_object(Bucket=bucket, Key="k", **WAYS[destination][1])["Body"].read() == expected
    got = owner.get_object(Bucket=bucket, Key="k", Range=f"bytes={size - 5}-{size + 5}", **WAYS[destination][1])
    assert got["Body"].read() == expected[size - 5 : size + 6]


@pytest.mark.parametrize(
    ("source", "destination"),
    [("plain", "plain"), ("sse-s3", "sse-kms"), ("sse-kms", "sse-s3"), ("sse-kms", "sse-kms"), ("sse-c", "sse-c")],
)
def test_copies_move_no_bytes_where_one_data_key_may_serve_both(
    live: LiveSystem, owner: Any, bucket: str, source: str, destination: str
) -> None:
    body = os.urandom(200_000)
    owner.put_object(Bucket=bucket, Key="source", Body=body, **WAYS[source][0])
    before = fragments(live)
    from_source: Arguments = {"CopySource": {"Bucket": bucket, "Key": "source"}, **source_of(source)}
    owner.copy_object(Bucket=bucket, Key="copy", **from_source, **WAYS[destination][0])
    assert fragments(live) <= before
    owner.delete_object(Bucket=bucket, Key="source")
    assert owner.get_object(Bucket=bucket, Key="copy", **WAYS[destination][1])["Body"].read() == body


def test_a_copy_onto_itself_may_change_the_encryption(live: LiveSystem, owner: Any, bucket: str) -> None:
    mark = os.urandom(64)
    itself: Arguments = {"Bucket": bucket, "Key": "k", "CopySource": {"Bucket": bucket, "Key": "k"}}
    owner.put_object(Bucket=bucket, Key="k", Body=mark, ServerSideEncryption="AES256")
    with refused("InvalidRequest", 400):
        owner.copy_object(**itself)
    owner.copy_object(**itself, ServerSideEncryption="aws:kms", SSEKMSKeyId="test-key")
    assert owner.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == "test-key"
    owner.copy_object(**itself, **customer(KEY))
    assert owner.get_object(Bucket=bucket, Key="k", **customer(KEY))["Body"].read() == mark
    assert not is_on_a_disk(live, mark)


def test_a_copy_needs_the_keys_of_its_source(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="source", Body=b"body", **customer(KEY))
    copy: Arguments = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "source"}}
    with refused("InvalidRequest", 400):
        owner.copy_object(**copy)
    with refused("AccessDenied", 403):
        owner.copy_object(**copy, **source_of("sse-c-other"))
    owner.put_object(Bucket=bucket, Key="source", Body=b"body")
    with refused("InvalidRequest", 400):
        owner.copy_object(**copy, **source_of("sse-c"))


def test_another_checksum_is_computed_of_the_plain_bytes(owner: Any, bucket: str) -> None:
    body = os.urandom(100_000)
    plain = owner.put_object(Bucket=bucket, Key="plain", Body=body, ChecksumAlgorithm="SHA256")
    owner.put_object(Bucket=bucket, Key="source", Body=body, **customer(KEY))
    copied = owner.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource={"Bucket": bucket, "Key": "source"},
        ChecksumAlgorithm="SHA256",
        **source_of("sse-c"),
    )
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == plain["ChecksumSHA256"]


def test_the_encryption_of_a_version_is_updated_without_moving_it(
    live: LiveSystem, owner: Any, versioned: str, kms_key: str
) -> None:
    old = owner.put_object(Bucket=versioned, Key="k", Body=b"old", ServerSideEncryption="AES256")
    owner.put_object(Bucket=versioned, Key="k", Body=b"new", ServerSideEncryption="AES256")
    before, head = fragments(live), owner.head_object(Bucket=versioned, Key="k", VersionId=old["VersionId"])
    owner.update_object_encryption(
        Bucket=versioned,
        Key="k",
        VersionId=old["VersionId"],
        ObjectEncryption={"SSEKMS": {"KMSKeyArn": kms_key, "BucketKeyEnabled": True}},
    )
    got = owner.get_object(Bucket=versioned, Key="k", VersionId=old["VersionId"])
    assert (got["ServerSideEncryption"], got["SSEKMSKeyId"], got["BucketKeyEnabled"]) == ("aws:kms", kms_key, True)
    assert (got["ETag"], got["LastModified"], got["Body"].read()) == (head["ETag"], head["LastModified"], b"old")
    assert owner.head_object(Bucket=versioned, Key="k")["ServerSideEncryption"] == "AES256"
    assert fragments(live) <= before


def test_an_update_is_refused_where_it_cannot_be(owner: Any, bucket: str, kms_key: str) -> None:
    wanted = {"ObjectEncryption": {"SSEKMS": {"KMSKeyArn": kms_key}}}
    for arguments in ({}, customer(KEY)):
        owner.put_object(Bucket=bucket, Key="k", Body=b"body", **arguments)
        with refused("InvalidRequest", 400):
            owner.update_object_encryption(Bucket=bucket, Key="k", **wanted)
    owner.put_object(Bucket=bucket, Key="k", Body=b"body", ServerSideEncryption="AES256")
    with refused("InvalidRequest", 400):
        owner.update_object_encryption(
            Bucket=bucket, Key="k", ObjectEncryption={"SSEKMS": {"KMSKeyArn": "arn:aws:s3:::no-key-but-a-bucket"}}
        )
    with refused("KMS.NotFoundException", 400):
        missing = kms_key.replace("test-key", "nobody")
        owner.update_object_encryption(Bucket=bucket, Key="k", ObjectEncryption={"SSEKMS": {"KMSKeyArn": missing}})
    with refused("NoSuchKey", 404):
        owner.update_object_encryption(Bucket=bucket, Key="nothing", **wanted)


WRAPPED = """
SELECT v.encryption->>'key_version' FROM objects_objectversion v JOIN buckets_bucket b ON b.id = v.bucket_id WHERE b.name = %s
UNION ALL
SELECT u.encryption->>'key_version' FROM objects_multipartupload u JOIN buckets_bucket b ON b.id = u.bucket_id WHERE b.name = %s
"""


def test_rotation_wraps_data_keys_anew_and_moves_nothing(live: LiveSystem, owner: Any, bucket: str) -> None:
    live.manage("create_kms_key", "rotated")
    arguments = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "rotated"}
    owner.put_object(Bucket=bucket, Key="old", Body=b"old", **arguments)
    owner.put_object(Bucket=bucket, Key="history", Body=b"history", **arguments)
    owner.delete_object(Bucket=bucket, Key="history")
    upload = owner.create_multipart_upload(Bucket=bucket, Key="m", **arguments)
    before = fragments(live)
    assert live.manage("rotate_kms_key", "rotated").stdout.strip() == "rotated: version 2"
    live.manage("rewrap_data_keys")  # unless the duty has been quicker
    assert query(live, WRAPPED, bucket, bucket) == [("2",), ("2",), ("2",)]
    assert "nothing" in live.manage("rewrap_data_keys").stdout
    assert fragments(live) <= before
    assert owner.get_object(Bucket=bucket, Key="old")["Body"].read() == b"old"
    of_upload: Arguments = {"Bucket": bucket, "Key": "m", "UploadId": upload["UploadId"]}
    etag = owner.upload_part(**of_upload, PartNumber=1, Body=b"part")["ETag"]
    owner.complete_multipart_upload(**of_upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})
    assert owner.get_object(Bucket=bucket, Key="m")["Body"].read() == b"part"
    assert live.manage("rotate_kms_key", "nobody", is_checked=False).returncode != 0


def rule(algorithm: str, **members: Any) -> Arguments:
    default = {"SSEAlgorithm": algorithm, **({"KMSMasterKeyID": "test-key"} if algorithm == "aws:kms" else {})}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, **members}]}


def put_rule(owner: Any, bucket: str, configuration: Arguments) -> None:
    owner.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)


def test_a_bucket_encrypts_what_asks_for_nothing(owner: Any, bucket: str) -> None:
    with refused("ServerSideEncryptionConfigurationNotFoundError", 404):
        owner.get_bucket_encryption(Bucket=bucket)
    put_rule(owner, bucket, rule("aws:kms", BucketKeyEnabled=True))
    found = owner.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert found["BucketKeyEnabled"] is True
    assert found["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "test-key"}
    put = owner.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert (put["ServerSideEncryption"], put["SSEKMSKeyId"], put["BucketKeyEnabled"]) == ("aws:kms", "test-key", True)
    assert owner.create_multipart_upload(Bucket=bucket, Key="m")["ServerSideEncryption"] == "aws:kms"
    copy = owner.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert copy["ServerSideEncryption"] == "aws:kms"
    asked = owner.put_object(Bucket=bucket, Key="k", Body=b"body", ServerSideEncryption="AES256")
    assert asked["ServerSideEncryption"] == "AES256"
    assert "SSECustomerAlgorithm" in owner.put_object(Bucket=bucket, Key="k", Body=b"body", **customer(KEY))
    owner.delete_bucket_encryption(Bucket=bucket)
    owner.delete_bucket_encryption(Bucket=bucket)
    assert shown(owner.put_object(Bucket=bucket, Key="k", Body=b"body")) == {}


def test_a_rule_that_cannot_be_is_refused(owner: Any, bucket: str) -> None:
    for configuration, code in (
        ({"Rules": []}, "MalformedXML"),
        ({"Rules": rule("AES256")["Rules"] * 2}, "MalformedXML"),
        ({"Rules": [{"BucketKeyEnabled": True}]}, "MalformedXML"),
        (rule("aws:fsx"), "MalformedXML"),
        (
            {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}]},
            "InvalidArgument",
        ),
    ):
        with refused(code, 400):
            put_rule(owner, bucket, configuration)
    with refused("NotImplemented", 501):
        put_rule(owner, bucket, rule("aws:kms:dsse"))


def test_a_bucket_may_block_customers_keys(owner: Any, bucket: str) -> None:
    put_rule(owner, bucket, rule("AES256", BlockedEncryptionTypes={"EncryptionType": ["SSE-C"]}))
    with refused("AccessDenied", 403):
        owner.put_object(Bucket=bucket, Key="k", Body=b"body", **customer(KEY))
    put_rule(owner, bucket, rule("AES256", BlockedEncryptionTypes={"EncryptionType": ["NONE"]}))
    owner.put_object(Bucket=bucket, Key="k", Body=b"body", **customer(KEY))


def test_others_neither_see_nor_change_a_buckets_rule(stranger: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        stranger.get_bucket_encryption(Bucket=bucket)
    with refused("AccessDenied", 403):
        put_rule(stranger, bucket, rule("AES256"))
    with refused("AccessDenied", 403):
        stranger.delete_bucket_encryption(Bucket=bucket)


@pytest.mark.parametrize("way", ["sse-s3", "sse-kms", "sse-c"])
def test_history_brings_encrypted_versions_back(live: LiveSystem, owner: Any, bucket: str, way: str) -> None:
    write, read = WAYS[way]
    body = os.urandom(100_000)
    owner.put_object(Bucket=bucket, Key="k", Body=body, **write)
    owner.delete_object(Bucket=bucket, Key="k")
    live.manage(
        "shell",
        "-c",
        "from objects.models import ObjectVersion as V; from objects.services.undelete import undelete_version as u; "
        f"from buckets.models import Bucket; b = Bucket.objects.get(name='{bucket}').pk; "
        "u(bucket_id=b, version_row=V.objects.get(bucket_id=b, is_delete_marker=False).pk)",
    )
    assert owner.get_object(Bucket=bucket, Key="k", **read)["Body"].read() == body
