"""Server access logs: where they go, what they are called, and their lines. Pure.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html. What is not known is a hyphen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import quote

from s3protocol import errors

KIND: Final = "logging"
SERVICE: Final = "logging.s3.amazonaws.com"
"""The principal that policies of target buckets name."""
EVENT_TIME: Final = "EventTime"

_SIGNATURES: Final = {
    "HEADER_V4": ("SigV4", "AuthHeader"),
    "QUERY_V4": ("SigV4", "QueryString"),
    "HEADER_V2": ("SigV2", "AuthHeader"),
    "QUERY_V2": ("SigV2", "QueryString"),
    "POST": ("SigV4", "-"),
}

# What S3 calls an operation, where it is not what its name says (`resource_of`).
_RESOURCES: Final = {
    "AbortMultipartUpload": "UPLOAD",
    "CompleteMultipartUpload": "UPLOAD",
    "CopyObject": "OBJECT",
    "CreateMultipartUpload": "UPLOADS",
    "DeleteObjects": "MULTI_OBJECT_DELETE",
    "ListMultipartUploads": "UPLOADS",
    "ListObjectVersions": "BUCKETVERSIONS",
    "ListObjects": "BUCKET",
    "ListObjectsV2": "BUCKET",
    "ListParts": "UPLOAD",
    "ListTagsForResource": "TAGGING",
    "PostObject": "OBJECT",
    "PreflightRequest": "PREFLIGHT",
    "TagResource": "TAGGING",
    "UntagResource": "TAGGING",
    "UploadPart": "PART",
    "UploadPartCopy": "PART",
}
LIFECYCLE_SOURCE, EXPIRE_OPERATION, MARKER_OPERATION = "lifecycle", "ExpireObject", "CreateDeleteMarker"
"""What rows of the audit log say of lifecycle rules."""
_SOURCES: Final = {"CopyObject": "REST.COPY.OBJECT_GET", "UploadPartCopy": "REST.COPY.PART_GET"}
"""What reads a copy's source is named after it, and has a line in the source's bucket."""
_VERBS: Final = {"CopyObject": "COPY", "UploadPartCopy": "COPY"}


class LoggedRow(Protocol):
    """What a line tells of an audit row."""

    at: datetime
    request_id: str
    source: str
    operation: str
    action: str
    account_id: str | None
    principal: str
    bucket: str | None
    key: str | None
    version_id: str | None
    reason: str
    source_ip: str
    user_agent: str
    status: int
    error_code: str
    bytes_out: int
    object_bytes: int | None
    duration_us: int
    method: str
    request_uri: str
    host: str
    referer: str
    auth_type: str


def checked_configuration(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the LoggingEnabled of a request, None where it turns logging off. Raises MalformedXML, InvalidArgument."""
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return None
    if "TargetBucket" not in enabled or "TargetPrefix" not in enabled:
        raise errors.MalformedXML
    key_format = enabled.get("TargetObjectKeyFormat")
    if key_format is not None:
        if len(key_format) != 1:
            raise errors.MalformedXML
        partitioned = key_format.get("PartitionedPrefix")
        if partitioned is not None and "PartitionDateSource" not in partitioned:
            raise errors.MalformedXML
    if len(enabled["TargetPrefix"].encode()) > 800:
        raise errors.InvalidArgument("The target prefix is too long.", ArgumentName="TargetPrefix")
    return dict(enabled)


def log_key(
    configuration: Mapping[str, Any],
    *,
    now: datetime,
    day: datetime,
    account_id: str,
    region: str,
    bucket: str,
    first_id: int,
) -> str:
    """Name the log object of a batch of rows; `day` is that of its events, `first_id` makes it unique."""
    partitioned = configuration.get("TargetObjectKeyFormat", {}).get("PartitionedPrefix")
    unique = hashlib.sha256(f"{bucket}|{first_id}|{day:%Y%m%d}".encode()).hexdigest()[:16].upper()
    if partitioned is None:
        return f"{configuration['TargetPrefix']}{now:%Y-%m-%d-%H-%M-%S}-{unique}"
    at = day if partitioned["PartitionDateSource"] == EVENT_TIME else now
    return (
        f"{configuration['TargetPrefix']}{account_id}/{region}/{bucket}/{at:%Y/%m/%d}/{at:%Y-%m-%d-%H-%M-%S}-{unique}"
    )


def is_by_event_time(configuration: Mapping[str, Any]) -> bool:
    """Say whether the rows of each day go into an object of their own."""
    partitioned = configuration.get("TargetObjectKeyFormat", {}).get("PartitionedPrefix")
    return partitioned is not None and partitioned["PartitionDateSource"] == EVENT_TIME


def log_line(row: LoggedRow, *, owner: str, requester: str, host_id: str = "-") -> str:
    """Render a row; `owner` is the canonical id of the bucket's, `requester` as `requester_of` has it."""
    signature, auth_type = _SIGNATURES.get(row.auth_type, ("-", "-"))
    is_list_needed = row.status < 400 and "of the access control list" in row.reason
    fields = (
        owner,
        row.bucket or "-",
        f"[{row.at.astimezone(UTC):%d/%b/%Y:%H:%M:%S} +0000]",
        row.source_ip or "-",
        requester,
        row.request_id,
        operation_of(row),
        quote(row.key) if row.key else "-",
        _quoted(f"{row.method} {row.request_uri} HTTP/1.1" if row.method else ""),
        str(row.status),
        row.error_code or "-",
        _number(row.bytes_out),
        _number(row.object_bytes),
        str(row.duration_us // 1000),
        "-",
        _quoted(row.referer),
        _quoted(row.user_agent),
        row.version_id or "-",
        host_id,
        signature,
        "-",
        auth_type,
        _word(row.host),
        "-",
        "-",
        "Yes" if is_list_needed else "-",
    )
    return " ".join(fields)


def requester_of(row: LoggedRow, canonical_id: str | None) -> str:
    """Name who asked, as S3 does: an account by its canonical id, other principals by ARN, nobody by a hyphen."""
    if not row.principal or row.principal == "*":
        return "-"
    if row.source == LIFECYCLE_SOURCE:
        return "AmazonS3"
    return canonical_id or "-" if row.principal.endswith(":root") else row.principal


def operation_of(row: LoggedRow) -> str:
    """Name the operation as S3 does: REST.GET.OBJECT, REST.PUT.ACL, BATCH.DELETE.OBJECT, WEBSITE.GET.OBJECT."""
    if row.operation == "DeleteObjects" and row.key:
        return "BATCH.DELETE.OBJECT"
    if row.operation in _SOURCES and row.action in ("s3:GetObject", "s3:GetObjectVersion"):
        return _SOURCES[row.operation]
    if row.source == LIFECYCLE_SOURCE:
        return "S3.CREATE.DELETEMARKER" if row.operation == MARKER_OPERATION else "S3.EXPIRE.OBJECT"
    if row.source == "website":
        return f"WEBSITE.{row.method}.OBJECT"
    verb = _VERBS.get(row.operation, row.method)
    return f"REST.{verb}.{resource_of(row.operation)}"


def resource_of(operation: str) -> str:
    """Name what an operation is about: the words of its name behind the verb and what it is part of, in capitals."""
    if operation in _RESOURCES:
        return _RESOURCES[operation]
    for verb in ("Get", "Put", "Head", "Delete", "List", "Create", "Post"):
        operation = operation.removeprefix(verb)
    for whole in ("Bucket", "Object"):
        if operation != whole:
            operation = operation.removeprefix(whole)
    return operation.removesuffix("Configuration").upper() or "UNKNOWN"


def _number(value: int | None) -> str:
    return str(value) if value else "-"


def _word(text: str) -> str:
    """Return a text as one field without quotes."""
    return quote(text, safe=":.-[]") or "-"


def _quoted(text: str) -> str:
    """Return a text between quotes, in one line and with no quote of its own, as whoever reads it splits by them."""
    if not text:
        return '"-"'
    kept = "".join(character if character.isprintable() else quote(character) for character in text)
    return '"' + kept.replace('"', "%22") + '"'
