"""The files of an inventory: rows as CSV, the manifest. Pure.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from accesscontrol.acl import Acl
from objects.encryption import Method, StoredEncryption
from s3protocol.timestamps import format_iso8601

VERSION_FIELDS = ("VersionId", "IsLatest", "IsDeleteMarker")
TIER_NAMES = ("FREQUENT", "ARCHIVE", "DEEP_ARCHIVE")
"""The access tiers of INTELLIGENT_TIERING, as `Monitoring` numbers them."""


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """A version as a report tells of it; `canonical_owner_id` and `grants` are there when they are asked for."""

    bucket_name: str
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    size_bytes: int
    etag: str
    storage_class: str
    is_multipart: bool
    replication_status: str
    encryption: StoredEncryption | None
    lock_mode: str
    retain_until: datetime | None
    legal_hold: bool | None
    checksum_algorithm: str
    modified_at: datetime
    canonical_owner_id: str = ""
    grants: list[dict[str, str]] = field(default_factory=list)
    expires_at: datetime | None = None
    access_tier: str = ""


def _encryption_status(row: InventoryRow) -> str:
    if row.encryption is None:
        return "NOT-SSE"
    return {Method.SSE_S3: "SSE-S3", Method.SSE_KMS: "SSE-KMS", Method.SSE_C: "SSE-C"}[row.encryption.method]


def _bucket_key_status(row: InventoryRow) -> str:
    if row.encryption is None or row.encryption.method is not Method.SSE_KMS:
        return ""
    return "ENABLED" if row.encryption.has_bucket_key else "DISABLED"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else format_iso8601(moment)


def _grants(row: InventoryRow) -> str:
    """Render grants as AWS does: a JSON document in base 64."""
    document = {"version": "2022-11-10", "status": "AVAILABLE", "grants": row.grants}
    return base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()


def shown_grants(acl: Acl, canonical_id: Callable[[str], str]) -> list[dict[str, str]]:
    """Return grants as reports tell of them; `canonical_id` gives that of an account."""
    return [
        {"type": "Group", "uri": grant.group.uri, "permission": grant.permission.value}
        if grant.group is not None
        else {
            "type": "CanonicalUser",
            "canonicalId": canonical_id(grant.grantee),
            "permission": grant.permission.value,
        }
        for grant in acl.grants
    ]


_OF_MARKERS = frozenset({"LastModifiedDate", "ObjectOwner", *VERSION_FIELDS})
_FIELDS: Mapping[str, Callable[[InventoryRow], str]] = {
    "VersionId": lambda row: "" if row.version_id == "null" else row.version_id,
    "IsLatest": lambda row: str(row.is_latest).lower(),
    "IsDeleteMarker": lambda row: str(row.is_delete_marker).lower(),
    "Size": lambda row: str(row.size_bytes),
    "LastModifiedDate": lambda row: format_iso8601(row.modified_at),
    "ETag": lambda row: row.etag,
    "StorageClass": lambda row: row.storage_class,
    "IsMultipartUploaded": lambda row: str(row.is_multipart).lower(),
    "ReplicationStatus": lambda row: row.replication_status,
    "EncryptionStatus": _encryption_status,
    "ObjectLockRetainUntilDate": lambda row: _time(row.retain_until),
    "ObjectLockMode": lambda row: row.lock_mode,
    "ObjectLockLegalHoldStatus": lambda row: "" if row.legal_hold is None else ("ON" if row.legal_hold else "OFF"),
    "IntelligentTieringAccessTier": lambda row: row.access_tier,
    "BucketKeyStatus": _bucket_key_status,
    "ChecksumAlgorithm": lambda row: row.checksum_algorithm,
    "ObjectAccessControlList": _grants,
    "ObjectOwner": lambda row: row.canonical_owner_id,
    "LifecycleExpirationDate": lambda row: _time(row.expires_at),
}


def schema(fields: Sequence[str], *, has_all_versions: bool) -> list[str]:
    """Name the columns of a report: those of the request stand in the order of S3's documentation."""
    wanted = [name for name in _FIELDS if name in fields]
    return ["Bucket", "Key", *(VERSION_FIELDS if has_all_versions else ()), *wanted]


def csv_line(row: InventoryRow, columns: Sequence[str]) -> str:
    """Render a row; keys are URL-encoded, everything is in quotes."""
    cells = [row.bucket_name, quote_plus(row.key, safe="/*-._")]
    cells += ["" if row.is_delete_marker and name not in _OF_MARKERS else _FIELDS[name](row) for name in columns[2:]]
    return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of a report."""

    key: str
    size_bytes: int
    md5: str


def manifest(
    *, source_bucket: str, destination_bucket: str, made_at: datetime, columns: Sequence[str], files: Sequence[DataFile]
) -> bytes:
    """Render the manifest of a report."""
    document: dict[str, Any] = {
        "sourceBucket": source_bucket,
        "destinationBucket": f"arn:aws:s3:::{destination_bucket}",
        "version": "2016-11-30",
        "creationTimestamp": str(int(made_at.timestamp() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": ", ".join(columns),
        "files": [{"key": one.key, "size": one.size_bytes, "MD5checksum": one.md5} for one in files],
    }
    return json.dumps(document, indent=2).encode()
