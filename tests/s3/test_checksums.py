"""Checksums: all ten algorithms, in headers and trailers, of objects and parts, composite and full."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from s3protocol.checksums import ChecksumAlgorithm, new_checksum
from tests.s3.aws_chunked import UNSIGNED_TRAILER, framed
from tests.s3.refusals import refused
from tests.s3.wire import Wire

BODY = b"The quick brown fox jumps over the lazy dog"
ALGORITHMS = [algorithm.value for algorithm in ChecksumAlgorithm]
CRCS = ["CRC32", "CRC32C", "CRC64NVME"]
COMPOSITES = [name for name in ALGORITHMS if name != "CRC64NVME"]
# Published values, so that client and server cannot be wrong together.
KNOWN = {
    "CRC32": bytes.fromhex("414fa339"),
    "CRC32C": bytes.fromhex("22620404"),
    "SHA1": bytes.fromhex("2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
    "SHA256": bytes.fromhex("d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"),
    "MD5": bytes.fromhex("9e107d9d372bb6826bd81d3542a419d6"),
    "XXHASH64": bytes.fromhex("0b242d361fda71bc"),
}


def checksum(algorithm: str, body: bytes) -> str:
    if body == BODY and algorithm in KNOWN:
        return base64.b64encode(KNOWN[algorithm]).decode()
    made = new_checksum(ChecksumAlgorithm(algorithm))
    made.update(body)
    return made.base64()


def header(algorithm: str) -> str:
    return f"x-amz-checksum-{algorithm.lower()}"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_in_a_header_is_verified_kept_and_shown(wire: Wire, bucket: str, algorithm: str) -> None:
    value = checksum(algorithm, BODY)
    put = wire.send("PUT", f"/{bucket}/k", headers={header(algorithm): value}, body=BODY)
    assert (put.status, put.headers[header(algorithm)]) == (200, value)
    for method in ("GET", "HEAD"):
        got = wire.send(method, f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
        assert got.headers[header(algorithm)] == value
        assert got.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    assert header(algorithm) not in wire.send("HEAD", f"/{bucket}/k").headers


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_checksum_is_refused_and_stores_nothing(wire: Wire, owner: Any, bucket: str, algorithm: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={header(algorithm): checksum(algorithm, b"other")}, body=BODY)
    assert answer.refusal == (400, "BadDigest")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_checksum_in_a_trailer_is_verified_and_kept(wire: Wire, bucket: str, algorithm: str) -> None:
    value = checksum(algorithm, BODY)
    put = framed(wire, f"/{bucket}/k", [BODY], mode=UNSIGNED_TRAILER, trailers=[(header(algorithm), value)]).send(wire)
    assert (put.status, put.headers[header(algorithm)]) == (200, value)
    got = wire.send("GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert (got.body, got.headers[header(algorithm)]) == (BODY, value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_checksum_in_a_trailer_is_refused(wire: Wire, owner: Any, bucket: str, algorithm: str) -> None:
    trailers = [(header(algorithm), checksum(algorithm, b"other"))]
    answer = framed(wire, f"/{bucket}/k", [BODY], mode=UNSIGNED_TRAILER, trailers=trailers).send(wire)
    assert answer.refusal == (400, "BadDigest")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("value", ["", "x", "AAAA", "not base64!", "AAAAAA"])
def test_what_is_no_checksum_is_refused(wire: Wire, owner: Any, bucket: str, value: str) -> None:
    answer = wire.send("PUT", f"/{bucket}/k", headers={"x-amz-checksum-crc32": value}, body=BODY)
    assert answer.refusal == (400, "InvalidRequest")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_two_checksums_at_once_are_refused(wire: Wire, bucket: str) -> None:
    headers = {header(name): checksum(name, BODY) for name in ("CRC32", "SHA1")}
    assert wire.send("PUT", f"/{bucket}/k", headers=headers, body=BODY).refusal == (400, "InvalidRequest")


def test_an_announced_checksum_has_to_come(wire: Wire, bucket: str) -> None:
    for value in ("CRC32", "NONSENSE"):
        answer = wire.send("PUT", f"/{bucket}/k", headers={"x-amz-sdk-checksum-algorithm": value}, body=BODY)
        assert answer.refusal == (400, "InvalidRequest")


def test_an_announced_trailer_has_to_come(wire: Wire, owner: Any, bucket: str) -> None:
    headers = {"x-amz-trailer": "x-amz-checksum-crc32"}
    answer = framed(wire, f"/{bucket}/k", [BODY], mode=UNSIGNED_TRAILER, headers=headers).send(wire)
    assert answer.refusal == (400, "InvalidRequest")
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_an_object_without_a_claimed_checksum_has_crc64nvme(wire: Wire, bucket: str) -> None:
    wire.send("PUT", f"/{bucket}/k", body=BODY)
    got = wire.send("HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert got.headers["x-amz-checksum-crc64nvme"] == checksum("CRC64NVME", BODY)


def test_a_range_shows_no_checksum_of_the_whole(wire: Wire, bucket: str) -> None:
    wire.send("PUT", f"/{bucket}/k", body=BODY)
    got = wire.send("GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED", "range": "bytes=0-3"})
    assert got.status == 206
    assert "x-amz-checksum-crc64nvme" not in got.headers


def test_listings_name_the_algorithm(owner: Any, bucket: str) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm="SHA1")
    shown = owner.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (shown["ChecksumAlgorithm"], shown["ChecksumType"]) == (["SHA1"], "FULL_OBJECT")


# Multipart


def upload_in_parts(
    client: Any, bucket: str, algorithm: str, checksum_type: str | None, bodies: list[bytes], **completion: Any
) -> Any:
    """Upload with a checksum for each part, made here, and complete."""
    typed = {} if checksum_type is None else {"ChecksumType": checksum_type}
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, **typed)
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    parts = []
    for number, body in enumerate(bodies, start=1):
        value = {f"Checksum{algorithm}": checksum(algorithm, body)}
        etag = client.upload_part(**named, PartNumber=number, Body=body, **value)["ETag"]
        parts.append({"PartNumber": number, "ETag": etag, **value})
    return client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, **completion)


def composite(algorithm: str, bodies: list[bytes]) -> str:
    digests = b"".join(base64.b64decode(checksum(algorithm, body)) for body in bodies)
    return f"{checksum(algorithm, digests)}-{len(bodies)}"


@pytest.mark.parametrize("algorithm", COMPOSITES)
def test_a_composite_checksum_is_the_checksum_of_the_parts_checksums(
    owner: Any, bucket: str, part: bytes, algorithm: str
) -> None:
    bodies = [part, b"tail"]
    done = upload_in_parts(owner, bucket, algorithm, None, bodies)
    assert (done[f"Checksum{algorithm}"], done["ChecksumType"]) == (composite(algorithm, bodies), "COMPOSITE")
    head = owner.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == composite(algorithm, bodies)


@pytest.mark.parametrize("algorithm", CRCS)
def test_a_full_checksum_is_that_of_all_bytes(owner: Any, bucket: str, part: bytes, algorithm: str) -> None:
    done = upload_in_parts(owner, bucket, algorithm, "FULL_OBJECT", [part, b"tail"])
    assert (done[f"Checksum{algorithm}"], done["ChecksumType"]) == (checksum(algorithm, part + b"tail"), "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", CRCS)
def test_a_wrong_checksum_of_the_whole_is_refused_at_completion(owner: Any, bucket: str, algorithm: str) -> None:
    wrong = {f"Checksum{algorithm}": checksum(algorithm, b"other"), "ChecksumType": "FULL_OBJECT"}
    with refused("BadDigest", 400):
        upload_in_parts(owner, bucket, algorithm, "FULL_OBJECT", [b"body"], **wrong)
    assert owner.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("algorithm", "checksum_type"), [("CRC64NVME", "COMPOSITE"), ("SHA256", "FULL_OBJECT"), ("SHA1", "FULL_OBJECT")]
)
def test_an_impossible_type_is_refused(owner: Any, bucket: str, algorithm: str, checksum_type: str) -> None:
    with refused("InvalidRequest", 400):
        owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=checksum_type)


def test_a_part_with_another_algorithm_than_its_upload_is_refused(owner: Any, bucket: str) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256")["UploadId"]
    with refused("InvalidRequest", 400):
        owner.upload_part(
            Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=BODY, ChecksumCRC32=checksum("CRC32", BODY)
        )


def test_a_checksum_of_another_algorithm_than_the_upload_s_is_refused_at_completion(owner: Any, bucket: str) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32")["UploadId"]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = owner.upload_part(**named, PartNumber=1, Body=BODY, ChecksumAlgorithm="CRC32")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    with refused("InvalidRequest", 400):
        owner.complete_multipart_upload(**named, MultipartUpload=parts, ChecksumSHA256=checksum("SHA256", BODY))
    assert owner.complete_multipart_upload(**named, MultipartUpload=parts)["ChecksumCRC32"]


def test_a_part_s_wrong_checksum_is_refused_at_completion(owner: Any, bucket: str) -> None:
    upload = owner.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA1")["UploadId"]
    named = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etag = owner.upload_part(**named, PartNumber=1, Body=BODY, ChecksumAlgorithm="SHA1")["ETag"]
    wrong = {"PartNumber": 1, "ETag": etag, "ChecksumSHA1": checksum("SHA1", b"other")}
    with refused("InvalidPart", 400):
        owner.complete_multipart_upload(**named, MultipartUpload={"Parts": [wrong]})


def test_a_part_of_a_multipart_object_shows_its_own_checksum(owner: Any, bucket: str, part: bytes) -> None:
    upload_in_parts(owner, bucket, "SHA256", None, [part, b"tail"])
    got = owner.get_object(Bucket=bucket, Key="k", PartNumber=2, ChecksumMode="ENABLED")
    assert got["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"tail").digest()).decode()
    assert "ChecksumSHA256" not in owner.head_object(Bucket=bucket, Key="k", PartNumber=2)
