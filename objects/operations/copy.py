"""CopyObject and UploadPartCopy: the operations that name a second object, which is authorized by its own name."""

from __future__ import annotations

from typing import Any, Unpack
from urllib.parse import unquote_plus

from buckets.context import RequestContext
from buckets.selectors import BucketRecord
from buckets.tags import tags_from_header
from events.cause import CREATED_BY_COPY
from objects.attributes import checked_metadata
from objects.conditions import check_source
from objects.encryption import EncryptionChoice, Method, encryption_members
from objects.operations.answers import checksum_members, new_version_members, quoted
from objects.operations.encryption import requested_encryption
from objects.operations.expiration import expiration_members
from objects.operations.members import (
    CopyObjectMembers,
    CopyPartMembers,
    SourceMembers,
    customer_key,
    kept_headers,
    source_conditions,
    source_customer_key,
)
from objects.operations.multipart import checked_part_number, open_upload
from objects.operations.ownership import authorize_header_tags, new_ownership
from objects.operations.preconditions import write_conditions
from objects.operations.protection import requested_lock
from objects.operations.read import readable_version
from objects.ranges import ByteRange, parse_copy_source_range
from objects.selectors.annotations import has_annotations
from objects.selectors.lookup import VersionRecord, find_parts, look_up
from objects.services import copy as copy_services
from objects.services.archive import require_unarchived
from objects.services.encryption import OpenedVersion, open_version, upload_data_key
from objects.services.publish import NewVersion
from objects.services.put import PUT_SIZE_BYTES_MAX
from objects.storage_classes import checked_storage_class
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm
from s3protocol.registry import operation


class CopySource:
    """The object that x-amz-copy-source names, found and authorized."""

    def __init__(self, context: RequestContext, header: str, asked: SourceMembers) -> None:
        conditions, their_key = source_conditions(asked), source_customer_key(asked)
        bucket_name, key, version_id = _parse_copy_source(header)
        found = look_up(bucket_name, key, version_id)
        if found is None:
            raise errors.NoSuchBucket(BucketName=bucket_name)
        action = "s3:GetObject" if version_id is None else "s3:GetObjectVersion"
        stated = {} if version_id is None else {"s3:versionid": version_id}
        with context.one_of_many(action=action, key=key, version_id=version_id, bucket=found.bucket):
            context.authorize_object(action, bucket=found.bucket, key=key, version=found.version, stated=stated)
        context.require_payer(found.bucket)
        if asked.get("expected_source_bucket_owner", found.bucket.owner_id) != found.bucket.owner_id:
            raise errors.AccessDenied
        reading = RequestContext(
            context.principal, context.region, found.bucket, key, found.version, facts=context.facts
        )
        try:
            self.version: VersionRecord = readable_version(reading, key, version_id)
        except errors.MethodNotAllowed:
            raise errors.InvalidRequest(
                "The source of a copy request may not specifically refer to a delete marker by version id."
            ) from None
        self.bucket: BucketRecord = found.bucket
        self.names_version = version_id is not None
        check_source(conditions, etag=self.version.etag, modified_at=self.version.became_current_at)
        require_unarchived(self.version)
        self.opened: OpenedVersion = open_version(self.version, their_key)

    @property
    def is_addressed_by(self) -> tuple[str, str]:
        """Return bucket and key, for telling whether a copy is onto itself."""
        return self.bucket.name, self.version.key


def _parse_copy_source(header: str) -> tuple[str, str, str | None]:
    """Split `[/]bucket/key[?versionId=id]`, in which a plus sign is a space, as in AWS. Raises InvalidArgument."""
    path, _, query = header.partition("?")
    version_id = None
    if query.startswith("versionId="):
        version_id = query.removeprefix("versionId=")
    elif query:
        path = header
    try:
        bucket_name, slash, key = unquote_plus(path, errors="strict").removeprefix("/").partition("/")
    except UnicodeDecodeError:
        bucket_name, slash, key = "", "", ""
    if not slash or not bucket_name or not key or "\0" in key or version_id == "":
        raise errors.InvalidArgument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=header,
        )
    return bucket_name, key, version_id


# What makes a copy onto itself one that changes something.
_CHANGING = ("storage_class", "website_redirect_location", "server_side_encryption", "sse_customer_key")


@operation("CopyObject", action="s3:PutObject")
def copy_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    copy_source: str,
    annotation_directive: str | None = None,
    checksum_algorithm: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata_directive: str | None = None,
    tagging_directive: str | None = None,
    **members: Unpack[CopyObjectMembers],
) -> dict[str, Any]:
    """Copy an object, sharing its chunks where the encryption of both allows it."""
    ownership = new_ownership(context, key, members)
    their_key = customer_key(members)
    encryption = requested_encryption(context, members, their_key)
    source = CopySource(context, copy_source, members)
    if encryption is None and source.version.encryption is not None:
        encryption = EncryptionChoice(Method.SSE_S3)  # what was encrypted is never stored in the clear by a copy
    replaces_metadata, replaces_tags = metadata_directive == "REPLACE", tagging_directive == "REPLACE"
    is_changing = bool(replaces_metadata or checksum_algorithm or any(members.get(name) for name in _CHANGING))
    _check_copyable(source, onto=(bucket, key), is_changing=is_changing)
    authorize_header_tags(context, key, members.get("tagging") if replaces_tags else None)
    version = NewVersion(
        **_copied_version(source.opened, checksum_algorithm),
        owner_id=ownership.owner_id,
        acl=ownership.acl,
        **_copied_headers(source.version, members, replaces_metadata=replaces_metadata),
        event_name=CREATED_BY_COPY,
        tags=tags_from_header(members.get("tagging")) if replaces_tags else source.version.tags,
        storage_class=checked_storage_class(members.get("storage_class")),
        lock=requested_lock(context, members),
    )
    with_annotations = annotation_directive != "EXCLUDE" and has_annotations(source.version.id)
    if with_annotations:
        _authorize_annotations(context, source, key)
    published, version = copy_services.copy_object(
        bucket_id=context.bucket.id,
        key=key,
        source=source.opened,
        version=version,
        conditions=write_conditions(if_match=if_match, if_none_match=if_none_match),
        encryption=encryption,
        with_annotations=with_annotations,
    )
    answer: dict[str, Any] = {
        "CopyObjectResult": {
            "ETag": quoted(version.etag),
            "LastModified": published.became_current_at,
            **checksum_members(version.checksum_algorithm, version.checksum, version.checksum_type),
        },
        **new_version_members(published.version_id),
        **encryption_members(version.encryption, their_key, is_write=True),
        **expiration_members(context.bucket, key, version.size_bytes, version.tags, published.became_current_at),
    }
    if source.bucket.was_ever_versioned:
        answer["CopySourceVersionId"] = source.version.version_id
    return answer


def _authorize_annotations(context: RequestContext, source: CopySource, key: str) -> None:
    """Raise AccessDenied where the principal may not read the source's annotations, or not give them to the copy."""
    action = "s3:GetObjectVersionAnnotation" if source.names_version else "s3:GetObjectAnnotation"
    context.authorize(action, bucket=source.bucket, key=source.version.key, version=source.version)
    context.authorize("s3:PutObjectAnnotation", key=key)


def _check_copyable(source: CopySource, *, onto: tuple[str, str], is_changing: bool) -> None:
    """Raise InvalidRequest for a source that is too large, and for a copy onto itself that would change nothing."""
    if source.version.size_bytes > PUT_SIZE_BYTES_MAX:
        raise errors.InvalidRequest(
            f"The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{PUT_SIZE_BYTES_MAX}"
        )
    if source.is_addressed_by == onto and not (source.names_version or is_changing):
        raise errors.InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )


def _copied_headers(source: VersionRecord, members: CopyObjectMembers, *, replaces_metadata: bool) -> dict[str, Any]:
    """Return type, headers and metadata of a copy: its own or its source's, but for the redirect, which is never copied."""
    headers = kept_headers(members)
    if replaces_metadata:
        return {
            "content_type": members.get("content_type", ""),
            "headers": headers,
            "metadata": checked_metadata(members.get("metadata")),
        }
    redirect = {"WebsiteRedirectLocation": headers.get("WebsiteRedirectLocation")}
    copied = {name: value for name, value in {**source.headers, **redirect}.items() if value}
    return {"content_type": source.content_type, "headers": copied, "metadata": source.metadata}


def _copied_version(opened: OpenedVersion, algorithm: str | None) -> dict[str, Any]:
    """Return what a copy has of its source: size, ETag, parts, and its checksum or the one that was asked for."""
    source = opened.version
    copied: dict[str, Any] = {
        "size_bytes": source.size_bytes,
        "etag": source.etag,
        "checksum_algorithm": source.checksum_algorithm,
        "checksum_type": source.checksum_type,
        "checksum": source.checksum,
        "part_count": source.part_count,
        "parts": find_parts(source.id) if source.part_count else None,
    }
    if algorithm and algorithm != source.checksum_algorithm:
        whole = ByteRange(0, source.size_bytes, source.size_bytes)
        copied["checksum_algorithm"] = algorithm
        copied["checksum_type"] = "FULL_OBJECT"
        copied["checksum"] = copy_services.checksum_range(opened, ChecksumAlgorithm(algorithm), whole)
    return copied


@operation("UploadPartCopy", action="s3:PutObject")
def upload_part_copy(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    copy_source: str,
    part_number: int,
    upload_id: str,
    copy_source_range: str | None = None,
    **members: Unpack[CopyPartMembers],
) -> dict[str, Any]:
    """Make a part of an object or a range of one, sharing its chunks where nothing is encrypted."""
    checked_part_number(part_number)
    upload = open_upload(context, key, upload_id)
    their_key = customer_key(members)
    data_key = upload_data_key(upload, their_key)
    source = CopySource(context, copy_source, members)
    size_bytes = source.version.size_bytes
    part = ByteRange(0, size_bytes, size_bytes)
    if copy_source_range is not None:
        part = parse_copy_source_range(copy_source_range, size_bytes)
    copied = copy_services.upload_part_copy(
        upload=upload,
        part_number=part_number,
        source=source.opened,
        part=part,
        data_key=data_key,
    )
    answer: dict[str, Any] = {
        "CopyPartResult": {
            "ETag": quoted(copied.etag),
            "LastModified": copied.modified_at,
            **({f"Checksum{upload.checksum_algorithm}": copied.checksum} if copied.checksum else {}),
        },
        **encryption_members(None if data_key is None else data_key.stored, their_key),
    }
    if source.bucket.was_ever_versioned:
        answer["CopySourceVersionId"] = source.version.version_id
    return answer
