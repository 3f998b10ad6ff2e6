"""PutObjectAnnotation, GetObjectAnnotation, ListObjectAnnotations, DeleteObjectAnnotation."""

from __future__ import annotations

from typing import Any

from buckets.context import RequestContext
from objects.annotations import COUNT_MAX, PAYLOAD_BYTES_MAX, checked_name, checked_payload
from objects.conditions import unquote_etag
from objects.encryption import encryption_members
from objects.listing import decode_token, encode_token
from objects.operations.answers import BODY_CHECKSUMS, quoted
from objects.operations.protection import may_bypass_governance
from objects.operations.read import readable_version
from objects.selectors import annotations as selectors
from objects.selectors.annotations import AnnotationRecord
from objects.selectors.lookup import VersionRecord
from objects.services import annotations as services
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm
from s3protocol.registry import operation

BYPASS_HEADER = "x-amz-bypass-governance-retention"


@operation(
    "PutObjectAnnotation",
    action="s3:PutObjectAnnotation",
    versioned_action="s3:PutObjectVersionAnnotation",
    reads_object=True,
    harmless=BODY_CHECKSUMS,
)
def put_object_annotation(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    annotation_name: str,
    version_id: str | None = None,
    object_if_match: str | None = None,
) -> dict[str, Any]:
    """Attach a named payload to an object, or replace it."""
    version = readable_version(context, key, version_id)
    name = checked_name(annotation_name)
    body = context.body
    if (body.size_bytes or 0) > PAYLOAD_BYTES_MAX:
        raise errors.EntityTooLarge(ProposedSize=str(body.size_bytes), MaxSizeAllowed=str(PAYLOAD_BYTES_MAX))
    record = services.put_annotation(
        version=version,
        name=name,
        payload=checked_payload(body.read_document()),
        algorithm=body.checksum_algorithm or ChecksumAlgorithm.CRC64NVME,
        if_match=None if object_if_match is None else unquote_etag(object_if_match),
    )
    return {
        "Key": key,
        "AnnotationName": name,
        "ETag": quoted(record.etag),
        **_checksum_members(record),
        **_version_members(context, version),
        **_encryption_members(version),
    }


@operation(
    "GetObjectAnnotation",
    action="s3:GetObjectAnnotation",
    versioned_action="s3:GetObjectVersionAnnotation",
    reads_object=True,
)
def get_object_annotation(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    annotation_name: str,
    version_id: str | None = None,
    checksum_mode: str | None = None,
) -> dict[str, Any]:
    """Return an annotation's payload."""
    version = readable_version(context, key, version_id)
    content = selectors.find_annotation(version.id, annotation_name)
    if content is None:
        raise errors.NoSuchAnnotation(AnnotationName=annotation_name)
    return {
        "LastModified": content.record.modified_at,
        "ContentLength": content.record.size_bytes,
        "ETag": quoted(content.record.etag),
        **(_checksum_members(content.record) if checksum_mode == "ENABLED" else {}),
        **_version_members(context, version),
        **_encryption_members(version),
        "AnnotationPayload": services.read_payload(version, content),
    }


@operation("ListObjectAnnotations", action="s3:ListObjectAnnotations", reads_object=True)
def list_object_annotations(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    annotation_prefix: str | None = None,
    continuation_token: str | None = None,
    max_annotation_results: int | None = None,
) -> dict[str, Any]:
    """List what annotations an object has."""
    version = readable_version(context, key, version_id)
    limit = COUNT_MAX if max_annotation_results is None else min(max_annotation_results, COUNT_MAX)
    after = decode_token(continuation_token) if continuation_token else ""
    found, is_truncated = selectors.list_annotations(
        version.id, prefix=annotation_prefix or "", after=after, limit=limit
    )
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        "MaxAnnotationResults": limit,
        "AnnotationCount": len(found),
        "Annotations": [
            {
                "AnnotationName": record.name,
                "LastModified": record.modified_at,
                "ETag": quoted(record.etag),
                "ChecksumAlgorithm": [record.checksum_algorithm],
                "Size": record.size_bytes,
            }
            for record in found
        ],
        **_version_members(context, version),
    }
    if annotation_prefix is not None:
        answer["AnnotationPrefix"] = annotation_prefix
    if continuation_token is not None:
        answer["ContinuationToken"] = continuation_token
    if is_truncated and found:
        answer["NextContinuationToken"] = encode_token(found[-1].name)
    return answer


@operation(
    "DeleteObjectAnnotation",
    action="s3:DeleteObjectAnnotation",
    versioned_action="s3:DeleteObjectVersionAnnotation",
    reads_object=True,
)
def delete_object_annotation(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    annotation_name: str,
    version_id: str | None = None,
    object_if_match: str | None = None,
) -> dict[str, Any]:
    """Take an annotation away."""
    version = readable_version(context, key, version_id)
    services.delete_annotation(
        version=version,
        name=annotation_name,
        if_match=None if object_if_match is None else unquote_etag(object_if_match),
        is_bypassing=may_bypass_governance(context, context.facts.headers.get(BYPASS_HEADER) == "true"),
    )
    return _version_members(context, version)


def _version_members(context: RequestContext, version: VersionRecord) -> dict[str, Any]:
    return {"ObjectVersionId": version.version_id} if context.bucket.was_ever_versioned else {}


def _encryption_members(version: VersionRecord) -> dict[str, Any]:
    shown = encryption_members(version.encryption)
    return {name: value for name, value in shown.items() if name == "ServerSideEncryption"}


def _checksum_members(record: AnnotationRecord) -> dict[str, Any]:
    return {f"Checksum{record.checksum_algorithm}": record.checksum, "ChecksumType": "FULL_OBJECT"}
