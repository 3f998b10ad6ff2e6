"""Classes that compress: clients see the plain bytes, the disks hold fewer."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.store import query
from tests.live.processes import wait_until
from tests.live.system import LiveSystem
from tests.s3.refusals import refused

CLASS = "PRESSED"
MEBIBYTE = 1 << 20
WORDS = [random.Random(word).randbytes(4).hex() for word in range(500)]
TEXT = (" ".join(random.Random(1).choices(WORDS, k=1_000_000))).encode()[: 8 * MEBIBYTE + 300_000]
RANGES = [
    (0, 1),
    (131_071, 131_073),
    (8 * MEBIBYTE - 1, 8 * MEBIBYTE + 1),
    (5_000_000, 7_000_000),
    (len(TEXT) - 9, None),
]


@pytest.fixture(scope="module", autouse=True)
def pressed(live: LiveSystem, owner: Any) -> None:
    """Make the class; the gateways know it within seconds."""
    live.manage("add_storage_class", CLASS, "--compression-level", "3")
    probe = "compression-probe"
    owner.create_bucket(Bucket=probe)

    def is_known() -> bool:
        # Each gateway process looks for itself.
        try:
            for _ in range(8):
                live.client().put_object(Bucket=probe, Key="k", Body=b"", StorageClass=CLASS)
        except owner.exceptions.ClientError:
            return False
        return True

    wait_until(is_known, "the gateways know the class")


@pytest.fixture
def stored(live: LiveSystem, bucket: str) -> Iterator[Any]:
    """Say which chunks the versions of the bucket have: (size, plain size), in order."""

    def chunks(key: str = "k") -> list[tuple[int, int | None]]:
        return query(
            live,
            "SELECT c.size_bytes, c.plain_bytes FROM objects_object o JOIN buckets_bucket b ON b.id = o.bucket_id"
            "  JOIN objects_extent e ON e.version_id = o.current_version_id JOIN chunks_chunk c ON c.id = e.chunk_id"
            " WHERE b.name = %s AND o.key = %s ORDER BY e.offset_bytes",
            bucket,
            key,
        )

    return chunks


@pytest.mark.parametrize("encryption", [{}, {"ServerSideEncryption": "AES256"}], ids=["plain", "encrypted"])
def test_what_was_put_comes_back_whole_and_in_ranges(
    owner: Any, bucket: str, stored: Any, encryption: dict[str, str]
) -> None:
    put = owner.put_object(Bucket=bucket, Key="k", Body=TEXT, StorageClass=CLASS, **encryption)
    assert put["ETag"] == f'"{hashlib.md5(TEXT, usedforsecurity=False).hexdigest()}"'
    assert [plain for _, plain in stored()] == [8 * MEBIBYTE, 300_000]
    assert sum(size for size, _ in stored()) < len(TEXT) / 2
    got = owner.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got["ContentLength"], got["StorageClass"]) == (len(TEXT), CLASS)
    assert got["Body"].read() == TEXT
    for start, end in RANGES:
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        assert owner.get_object(Bucket=bucket, Key="k", Range=wanted)["Body"].read() == TEXT[start:end]


def test_what_does_not_shrink_is_kept_as_it_is(owner: Any, bucket: str, stored: Any) -> None:
    noise = os.urandom(300_000)
    owner.put_object(Bucket=bucket, Key="k", Body=noise, StorageClass=CLASS)
    owner.put_object(Bucket=bucket, Key="typed", Body=TEXT[:300_000], StorageClass=CLASS, ContentType="video/mp4")
    owner.put_object(Bucket=bucket, Key="small", Body=TEXT[:2_000], StorageClass=CLASS)
    assert stored() == [(300_000, None)]
    assert stored("typed") == [(300_000, None)]
    assert stored("small")[0][1] == 2_000
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == noise
    assert owner.get_object(Bucket=bucket, Key="small")["Body"].read() == TEXT[:2_000]


def test_parts_copies_and_other_classes(owner: Any, bucket: str, stored: Any) -> None:
    upload = {"Bucket": bucket, "Key": "k"}
    upload["UploadId"] = owner.create_multipart_upload(Bucket=bucket, Key="k", StorageClass=CLASS)["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": owner.upload_part(**upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in enumerate((TEXT[: 6 * MEBIBYTE], TEXT[6 * MEBIBYTE :]), 1)
    ]
    owner.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert all(plain is not None for _, plain in stored())
    source = {"Bucket": bucket, "Key": "k"}
    owner.copy_object(Bucket=bucket, Key="same", CopySource=source, StorageClass=CLASS)
    assert stored("same") == stored()
    owner.copy_object(Bucket=bucket, Key="loose", CopySource=source, StorageClass="STANDARD")
    assert all(plain is None for _, plain in stored("loose"))
    for key in ("k", "same", "loose"):
        assert owner.get_object(Bucket=bucket, Key=key)["Body"].read() == TEXT
    piece = {"Bucket": bucket, "Key": "piece"}
    piece["UploadId"] = owner.create_multipart_upload(Bucket=bucket, Key="piece", StorageClass=CLASS)["UploadId"]
    copied = owner.upload_part_copy(**piece, PartNumber=1, CopySource=source, CopySourceRange="bytes=1000-6999999")
    part = {"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}
    owner.complete_multipart_upload(**piece, MultipartUpload={"Parts": [part]})
    assert owner.get_object(Bucket=bucket, Key="piece")["Body"].read() == TEXT[1000:7_000_000]


def test_a_lost_fragment_of_a_compressed_chunk_is_rebuilt_and_all_is_well(
    live: LiveSystem, owner: Any, bucket: str
) -> None:
    owner.put_object(Bucket=bucket, Key="k", Body=TEXT, StorageClass=CLASS)
    (row, *_) = query(
        live,
        "SELECT c.id, n.location FROM objects_object o JOIN buckets_bucket b ON b.id = o.bucket_id"
        "  JOIN objects_extent e ON e.version_id = o.current_version_id JOIN chunks_chunk c ON c.id = e.chunk_id"
        "  JOIN chunks_node n ON n.id = c.node_ids[1] WHERE b.name = %s AND c.size_bytes > 1000000",
        bucket,
    )
    chunk_id, location = row
    fragment = next(path for path in (live.data_dir / "nodes").rglob(f"{chunk_id.hex}.0") if location in str(path))
    fragment.unlink()
    assert owner.get_object(Bucket=bucket, Key="k")["Body"].read() == TEXT
    wait_until(fragment.exists, "it is repaired")
    assert CLASS in live.manage("list_storage_classes", "--usage").stdout


def test_no_class_is_made_by_asking_for_it(owner: Any, bucket: str) -> None:
    with refused("InvalidStorageClass", 400):
        owner.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="PRESSED_2")
