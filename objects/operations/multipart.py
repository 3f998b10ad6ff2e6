"""Multipart uploads: CreateMultipartUpload, UploadPart, ListParts, ListMultipartUploads, Complete…, Abort…."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Unpack

from django.conf import settings

from accesscontrol.requested_acl import account_members
from buckets.context import RequestContext
from buckets.tags import tags_from_header
from objects.attributes import checked_metadata
from objects.conditions import unquote_etag
from objects.encryption import StoredEncryption, encryption_members
from objects.listing import PAGE_SIZE_MAX
from objects.models import MultipartUpload
from objects.operations.answers import BODY_CHECKSUMS, checksum_members, new_version_members, quoted
from objects.operations.encryption import requested_encryption
from objects.operations.expiration import abort_members, expiration_members
from objects.operations.members import (
    CompletionMembers,
    CustomerKeyMembers,
    NewObjectMembers,
    claimed_checksum,
    customer_key,
    kept_headers,
)
from objects.operations.ownership import authorize_header_tags, new_ownership
from objects.operations.preconditions import write_conditions
from objects.operations.protection import requested_lock
from objects.selectors import multipart as selectors
from objects.services import multipart as services
from objects.services.encryption import new_data_key, upload_data_key
from objects.services.multipart import PART_NUMBER_MAX, CompletionClaim, PartClaim
from objects.services.publish import NewVersion
from objects.storage_classes import checked_storage_class
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm, ChecksumType, checksum_types
from s3protocol.codec.keys import encode_key
from s3protocol.registry import operation


def open_upload(context: RequestContext, key: str, upload_id: str) -> MultipartUpload:
    """Return an upload in progress. Raises NoSuchUpload."""
    upload = selectors.find_upload(bucket_id=context.bucket.id, key=key, upload_id=upload_id)
    if upload is None or upload.completed_at is not None:
        raise errors.NoSuchUpload(UploadId=upload_id)
    return upload


def checked_part_number(part_number: int) -> int:
    """Return a part number that may be. Raises InvalidArgument."""
    if not 1 <= part_number <= PART_NUMBER_MAX:
        raise errors.InvalidArgument(
            f"Part number must be an integer between 1 and {PART_NUMBER_MAX}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(part_number),
        )
    return part_number


@operation("CreateMultipartUpload", action="s3:PutObject")
def create_multipart_upload(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    checksum_algorithm: str | None = None,
    checksum_type: str | None = None,
    **members: Unpack[NewObjectMembers],
) -> dict[str, Any]:
    """Begin an upload in parts."""
    ownership = new_ownership(context, key, members)
    their_key = customer_key(members)
    encryption = requested_encryption(context, members, their_key)
    data_key = new_data_key(encryption)
    stored = None if data_key is None else data_key.stored
    checksum_type = _checked_checksum_type(checksum_algorithm, checksum_type)
    authorize_header_tags(context, key, members.get("tagging"))
    upload = services.create_multipart_upload(
        bucket_id=context.bucket.id,
        key=key,
        initiator_id=context.account_id,
        version=NewVersion(
            owner_id=ownership.owner_id,
            acl=ownership.acl,
            size_bytes=0,
            etag="",
            content_type=members.get("content_type", ""),
            headers=kept_headers(members),
            metadata=checked_metadata(members.get("metadata")),
            tags=tags_from_header(members.get("tagging")),
            storage_class=checked_storage_class(members.get("storage_class")),
            encryption=stored,
            lock=requested_lock(context, members),
            checksum_algorithm=checksum_algorithm or "",
            checksum_type=checksum_type,
        ),
    )
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload.upload_id,
        **encryption_members(stored, their_key, is_write=True),
    }
    if checksum_algorithm:
        answer |= {"ChecksumAlgorithm": checksum_algorithm, "ChecksumType": checksum_type}
    return answer | abort_members(context.bucket, key=key, created_at=upload.created_at)


def _checked_checksum_type(algorithm: str | None, checksum_type: str | None) -> str:
    """Return how the object's checksum will come from its parts; empty without an algorithm."""
    if algorithm is None:
        if checksum_type is not None:
            raise errors.InvalidRequest(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return ""
    possible = checksum_types(ChecksumAlgorithm(algorithm))
    if checksum_type is None:
        preferred = ChecksumType.COMPOSITE if ChecksumType.COMPOSITE in possible else possible[0]
        return preferred.value
    if checksum_type not in possible:
        raise errors.InvalidRequest(
            f"The {checksum_type} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return checksum_type


@operation("UploadPart", action="s3:PutObject", harmless=BODY_CHECKSUMS)
def upload_part(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    part_number: int,
    upload_id: str,
    **members: Unpack[CustomerKeyMembers],
) -> dict[str, Any]:
    """Store one part."""
    checked_part_number(part_number)
    upload = open_upload(context, key, upload_id)
    their_key = customer_key(members)
    data_key = upload_data_key(upload, their_key)
    part = services.upload_part(upload=upload, part_number=part_number, body=context.body, data_key=data_key)
    return {
        "ETag": quoted(part.etag),
        f"Checksum{part.checksum_algorithm}": part.checksum,
        **encryption_members(None if data_key is None else data_key.stored, their_key),
    }


@operation("AbortMultipartUpload", action="s3:AbortMultipartUpload")
def abort_multipart_upload(
    context: RequestContext, *, bucket: str, key: str, upload_id: str, if_match_initiated_time: datetime | None = None
) -> dict[str, Any]:
    """Drop an upload and its parts."""
    upload = open_upload(context, key, upload_id)
    if if_match_initiated_time is not None and upload.created_at.replace(microsecond=0) != if_match_initiated_time:
        raise errors.PreconditionFailed(Condition="x-amz-if-match-initiated-time")
    services.abort_multipart_upload(upload_row=upload.pk)
    return {}


@operation("CompleteMultipartUpload", action="s3:PutObject", harmless={})
def complete_multipart_upload(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    multipart_upload: dict[str, Any] | None = None,
    checksum_type: str | None = None,
    mpu_object_size: int | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    **members: Unpack[CompletionMembers],
) -> dict[str, Any]:
    """Make the object that the listed parts are."""
    upload = selectors.find_upload(bucket_id=context.bucket.id, key=key, upload_id=upload_id)
    if upload is None:
        raise errors.NoSuchUpload(UploadId=upload_id)
    their_key = customer_key(members)
    # A customer's key is not needed here. AWS asks for it where a checksum was chosen, for the upload or by a part, and
    # checks one that is sent.
    if their_key is not None or upload.checksum_algorithm or selectors.has_chosen_checksum(upload.pk):
        upload_data_key(upload, their_key)
    algorithm, checksum = claimed_checksum(members)
    completed = services.complete_multipart_upload(
        upload_row=upload.pk,
        claims=[_part_claim(part) for part in (multipart_upload or {}).get("Parts", [])],
        claim=CompletionClaim(algorithm, checksum, checksum_type, mpu_object_size),
        conditions=write_conditions(if_match=if_match, if_none_match=if_none_match),
    )
    return {
        "Location": _location(context, bucket, key),
        "Bucket": bucket,
        "Key": key,
        "ETag": quoted(completed.etag),
        **checksum_members(completed.checksum_algorithm, completed.checksum, completed.checksum_type),
        **encryption_members(StoredEncryption.from_document(upload.encryption), their_key),
        **new_version_members(completed.published.version_id),
        **expiration_members(
            context.bucket, key, completed.size_bytes, upload.tags, completed.published.became_current_at
        ),
    }


def _location(context: RequestContext, bucket: str, key: str) -> str:
    """Return the object's address, as the client that asks has come here."""
    host = context.facts.headers.get("host", "")
    is_in_host = host.partition(":")[0].lower() in {f"{bucket}.{domain}" for domain in settings.OBJSTORE_DOMAINS}
    path = encode_key(key) if is_in_host else f"{bucket}/{encode_key(key)}"
    return f"{'https' if context.facts.is_secure else 'http'}://{host}/{path}"


def _part_claim(part: dict[str, Any]) -> PartClaim:
    if "PartNumber" not in part or "ETag" not in part:
        raise errors.MalformedXML
    checksums = [value for name, value in part.items() if name.startswith("Checksum")]
    return PartClaim(part["PartNumber"], unquote_etag(part["ETag"]), checksums[0] if checksums else None)


@operation("ListParts", action="s3:ListMultipartUploadParts")
def list_parts(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    max_parts: int | None = None,
    part_number_marker: int | None = None,
    **members: Unpack[CustomerKeyMembers],
) -> dict[str, Any]:
    """List the parts of an upload in progress."""
    upload = open_upload(context, key, upload_id)
    their_key = customer_key(members)
    if their_key is not None:
        upload_data_key(upload, their_key)
    limit = PAGE_SIZE_MAX if max_parts is None else min(max_parts, PAGE_SIZE_MAX)
    after = part_number_marker or 0
    parts, is_truncated = selectors.list_parts(upload_row=upload.pk, after=after, limit=limit)
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        "UploadId": upload_id,
        "PartNumberMarker": after,
        "NextPartNumberMarker": parts[-1].part_number if parts else 0,
        "MaxParts": limit,
        "IsTruncated": is_truncated,
        "StorageClass": upload.storage_class,
        "Owner": account_members(upload.owner_id),
        "Initiator": account_members(upload.initiator_id or upload.owner_id),
        "Parts": [
            {
                "PartNumber": part.part_number,
                "LastModified": part.modified_at,
                "ETag": quoted(part.etag),
                "Size": part.size_bytes,
                **({f"Checksum{part.checksum_algorithm}": part.checksum} if part.checksum else {}),
            }
            for part in parts
        ],
    }
    if upload.checksum_algorithm:
        answer |= {"ChecksumAlgorithm": upload.checksum_algorithm, "ChecksumType": upload.checksum_type}
    return answer | abort_members(context.bucket, key=key, created_at=upload.created_at)


@operation("ListMultipartUploads", action="s3:ListBucketMultipartUploads")
def list_multipart_uploads(
    context: RequestContext,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_uploads: int | None = None,
    prefix: str | None = None,
    upload_id_marker: str | None = None,
) -> dict[str, Any]:
    """List the uploads in progress."""
    limit = PAGE_SIZE_MAX if max_uploads is None else min(max_uploads, PAGE_SIZE_MAX)
    page = selectors.list_uploads(
        bucket_id=context.bucket.id,
        prefix=prefix or "",
        delimiter=delimiter or "",
        key_marker=key_marker or "",
        upload_id_marker=upload_id_marker or "",
        limit=limit,
    )
    encode = encode_key if encoding_type == "url" else str
    answer: dict[str, Any] = {
        "Bucket": bucket,
        "KeyMarker": encode(key_marker or ""),
        "UploadIdMarker": upload_id_marker or "",
        "Prefix": encode(prefix or ""),
        "MaxUploads": limit,
        "IsTruncated": page.is_truncated,
        "Uploads": [_shown_upload(upload, encode) for upload in page.uploads],
        "CommonPrefixes": [{"Prefix": encode(common)} for common in page.common_prefixes],
    }
    if delimiter:
        answer["Delimiter"] = encode(delimiter)
    if encoding_type:
        answer["EncodingType"] = encoding_type
    if page.is_truncated:
        last_upload = page.uploads[-1] if page.uploads else None
        last_prefix = page.common_prefixes[-1] if page.common_prefixes else ""
        if last_upload is not None and last_upload.key > last_prefix:
            answer |= {"NextKeyMarker": encode(last_upload.key), "NextUploadIdMarker": last_upload.upload_id}
        else:
            answer["NextKeyMarker"] = encode(last_prefix)
    return answer


def _shown_upload(upload: MultipartUpload, encode: Any) -> dict[str, Any]:
    shown = {
        "Key": encode(upload.key),
        "UploadId": upload.upload_id,
        "Initiated": upload.created_at,
        "StorageClass": upload.storage_class,
        "Owner": account_members(upload.owner_id),
        "Initiator": account_members(upload.initiator_id or upload.owner_id),
    }
    if upload.checksum_algorithm:
        shown |= {"ChecksumAlgorithm": upload.checksum_algorithm, "ChecksumType": upload.checksum_type}
    return shown
