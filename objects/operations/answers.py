"""Members that several operations answer with."""

from __future__ import annotations

from typing import Any

from buckets.selectors import BucketRecord
from objects.selectors.lookup import VersionRecord

VERIFIED_BY_READER = "verified by the reader of the body, whatever the algorithm"
BODY_CHECKSUMS = {
    f"Checksum{name}": VERIFIED_BY_READER
    for name in (
        "CRC32",
        "CRC32C",
        "CRC64NVME",
        "SHA1",
        "SHA256",
        "SHA512",
        "MD5",
        "XXHASH64",
        "XXHASH3",
        "XXHASH128",
    )
}


def quoted(etag: str) -> str:
    """Render an ETag as HTTP wants it."""
    return f'"{etag}"'


def version_members(bucket: BucketRecord, version_id: str) -> dict[str, Any]:
    """Name the version, where versions mean anything."""
    return {"VersionId": version_id} if bucket.was_ever_versioned else {}


def new_version_members(version_id: str) -> dict[str, Any]:
    """Name the version that a write made; S3 says nothing of a null version, as none was made beside the old one."""
    return {} if version_id == "null" else {"VersionId": version_id}


def checksum_members(algorithm: str, checksum: str, checksum_type: str) -> dict[str, Any]:
    """Render a checksum, if there is one."""
    return {f"Checksum{algorithm}": checksum, "ChecksumType": checksum_type} if checksum else {}


def checksum_of(version: VersionRecord) -> dict[str, Any]:
    """Render a version's checksum, if it has one."""
    return checksum_members(version.checksum_algorithm, version.checksum, version.checksum_type)
