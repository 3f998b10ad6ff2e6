"""GetObject, HeadObject, GetObjectAttributes."""

from __future__ import annotations

from typing import Any, Unpack

from accesscontrol.authorization import decide
from buckets.context import RequestContext
from objects.attributes import shown_headers
from objects.conditions import ReadConditions, check_read, does_range_apply
from objects.encryption import encryption_members
from objects.operations.answers import checksum_members, checksum_of, quoted, version_members
from objects.operations.expiration import expiration_members
from objects.operations.members import CustomerKeyMembers, ReadMembers, customer_key
from objects.operations.protection import lock_members
from objects.operations.restores import restore_members
from objects.ranges import ByteRange, parse_range
from objects.selectors.lookup import VersionRecord, find_parts
from objects.services.archive import require_unarchived
from objects.services.encryption import unwrap
from objects.services.read import iterate_version, read_small_version
from s3protocol import errors
from s3protocol.registry import operation

SMALL_READ_BYTES_MAX = 1 << 18
ATTRIBUTE_PARTS_MAX = 1_000


def readable_version(context: RequestContext, key: str, version_id: str | None) -> VersionRecord:
    """Return the version that a read addresses.

    Raises NoSuchKey, NoSuchVersion, InvalidArgument for what is no version id; for a delete marker NoSuchKey when it was
    met and MethodNotAllowed when it was named.
    """
    bucket, version = context.bucket, context.version
    if version is None:
        if version_id is None:
            raise errors.NoSuchKey(Key=key)
        if not is_version_id(version_id):
            raise errors.InvalidArgument(
                "Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id
            )
        raise errors.NoSuchVersion(Key=key, VersionId=version_id)
    if version.is_delete_marker:
        marks = {"x-amz-delete-marker": "true"}
        if bucket.was_ever_versioned:
            marks["x-amz-version-id"] = version.version_id
        if version_id is None:
            raise errors.NoSuchKey(Key=key, headers=marks)
        raise errors.MethodNotAllowed(headers={**marks, "Allow": "DELETE"}, ResourceType="DeleteMarker")
    found: VersionRecord = version
    return found


def is_version_id(text: str) -> bool:
    """Say whether a text has the form of a version id: "null" or what `new_version_id` draws."""
    return text == "null" or (len(text) == 32 and text.isascii())


@operation(
    "GetObject",
    action="s3:GetObject",
    versioned_action="s3:GetObjectVersion",
    reads_object=True,
)
def get_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    **members: Unpack[ReadMembers],
) -> dict[str, Any]:
    """Return an object, or a range or a part of it."""
    return _answer(context, key, members)


@operation(
    "HeadObject",
    action="s3:GetObject",
    versioned_action="s3:GetObjectVersion",
    reads_object=True,
)
def head_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    **members: Unpack[ReadMembers],
) -> dict[str, Any]:
    """Return what GetObject would say, without the bytes."""
    return _answer(context, key, members, is_head=True)


_OVERRIDES = {
    "response_cache_control": "CacheControl",
    "response_content_disposition": "ContentDisposition",
    "response_content_encoding": "ContentEncoding",
    "response_content_language": "ContentLanguage",
    "response_content_type": "ContentType",
    "response_expires": "Expires",
}


def _answer(context: RequestContext, key: str, asked: ReadMembers, *, is_head: bool = False) -> dict[str, Any]:
    """Answer both; the headers of an archived object are told, its bytes are not."""
    version_id, wants_checksum = asked.get("version_id"), asked.get("checksum_mode") == "ENABLED"
    their_key = customer_key(asked)
    version = readable_version(context, key, version_id)
    data_key = unwrap(version.encryption, their_key)
    conditions = ReadConditions(
        asked.get("if_match"),
        asked.get("if_none_match"),
        asked.get("if_modified_since"),
        asked.get("if_unmodified_since"),
    )
    check_read(conditions, etag=version.etag, modified_at=version.became_current_at)
    overrides = {_OVERRIDES[name]: value for name, value in asked.items() if name in _OVERRIDES}
    if context.principal.is_anonymous and overrides:
        raise errors.InvalidRequest("Request specific response headers cannot be used for anonymous GET requests.")
    if not is_head:
        require_unarchived(version)
    selected, answer = _selection(
        version,
        range_header=_applying_range(context, asked.get("range"), version),
        part_number=asked.get("part_number"),
        wants_checksum=wants_checksum,
    )
    answer |= _described(context, version, overrides)
    answer |= encryption_members(version.encryption, their_key)
    answer |= restore_members(version)
    if version_id is None:
        answer |= expiration_members(context.bucket, key, version.size_bytes, version.tags, version.became_current_at)
    if wants_checksum and selected is None:
        answer |= checksum_of(version)
    start, length = (selected.start, selected.length) if selected else (0, version.size_bytes)
    answer["ContentLength"] = length
    if not is_head:
        answer["Body"] = _body(version, start, length, data_key)
    return answer


def _applying_range(context: RequestContext, range_header: str | None, version: VersionRecord) -> str | None:
    """Return the range, unless If-Range, which the model does not know, says that it is one of something else."""
    if_range = context.facts.headers.get("if-range")
    applies = does_range_apply(if_range, etag=version.etag, modified_at=version.became_current_at)
    return range_header if applies else None


def _selection(
    version: VersionRecord, *, range_header: str | None, part_number: int | None, wants_checksum: bool
) -> tuple[ByteRange | None, dict[str, Any]]:
    """Return the bytes that a request selects (None: all) and what is answered because of that."""
    if part_number is None:
        selected = parse_range(range_header, version.size_bytes)
        if selected is None:
            return None, {}
        return selected, {"ContentRange": selected.content_range, "__status__": 206}
    if range_header is not None:
        raise errors.InvalidRequest("Cannot specify both Range header and partNumber query parameter")
    if version.part_count is None:
        if part_number != 1:
            raise errors.InvalidPartNumber(PartNumberRequested=str(part_number), ActualPartCount="1")
        if version.size_bytes == 0:
            return None, {"__status__": 206}
        whole = ByteRange(0, version.size_bytes, version.size_bytes)
        return whole, {"ContentRange": whole.content_range, "__status__": 206}
    return _part(version, part_number, wants_checksum=wants_checksum)


def _part(version: VersionRecord, part_number: int, *, wants_checksum: bool) -> tuple[ByteRange, dict[str, Any]]:
    """Select a part of a multipart object, by the number that it had in its upload."""
    parts = find_parts(version.id) or []
    start = 0
    for number, size_bytes, checksum in parts:
        if number == part_number:
            selected = ByteRange(start, size_bytes, version.size_bytes)
            answer: dict[str, Any] = {"PartsCount": len(parts), "__status__": 206}
            if size_bytes:  # no range of bytes is empty
                answer["ContentRange"] = selected.content_range
            if wants_checksum:
                answer |= checksum_members(version.checksum_algorithm, checksum, version.checksum_type)
            return selected, answer
        start += size_bytes
    raise errors.InvalidPartNumber(PartNumberRequested=str(part_number), ActualPartCount=str(len(parts)))


def _described(context: RequestContext, version: VersionRecord, overrides: dict[str, Any]) -> dict[str, Any]:
    """Render everything about a version but its bytes."""
    described = shown_headers(version.content_type, version.headers, overrides)
    described["ETag"] = quoted(version.etag)
    described["LastModified"] = version.became_current_at
    described["AcceptRanges"] = "bytes"
    if version.metadata:
        described["Metadata"] = version.metadata
    if version.tags and _may_see_tags(context, version):
        described["TagCount"] = len(version.tags)
    if version.storage_class != "STANDARD":
        described["StorageClass"] = version.storage_class
    if context.bucket.was_ever_versioned:
        described["VersionId"] = version.version_id
    if version.replication_status:
        described["ReplicationStatus"] = version.replication_status
    if context.bucket.is_lock_enabled:
        described |= lock_members(context, version)
    return described


def _may_see_tags(context: RequestContext, version: VersionRecord) -> bool:
    """Say whether the principal is told how many tags there are: S3 tells who may read them. Nothing is audited."""
    action = "s3:GetObjectVersionTagging" if "versionId" in context.facts.query else "s3:GetObjectTagging"
    return decide(
        context.principal, action=action, bucket=context.bucket, key=version.key, version=version, facts=context.facts
    ).is_allowed


def _body(version: VersionRecord, start: int, length: int, data_key: bytes | None) -> Any:
    """Return the bytes: in one piece when they are few, as a stream otherwise."""
    if length == 0:
        return b""
    if length <= SMALL_READ_BYTES_MAX:
        piece = read_small_version(version, start, length, data_key=data_key)
        if piece is not None:
            return piece
    return iterate_version(version, start, length, data_key=data_key)


@operation(
    "GetObjectAttributes",
    action="s3:GetObjectAttributes",
    versioned_action="s3:GetObjectVersionAttributes",
    reads_object=True,
)
def get_object_attributes(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    object_attributes: list[str],
    version_id: str | None = None,
    max_parts: int | None = None,
    part_number_marker: int | None = None,
    **members: Unpack[CustomerKeyMembers],
) -> dict[str, Any]:
    """Return the chosen attributes of an object, its parts among them."""
    version = readable_version(context, key, version_id)
    unwrap(version.encryption, customer_key(members))
    answer: dict[str, Any] = {
        "LastModified": version.became_current_at,
        **version_members(context.bucket, version.version_id),
    }
    if "ETag" in object_attributes:
        answer["ETag"] = version.etag
    if "ObjectSize" in object_attributes:
        answer["ObjectSize"] = version.size_bytes
    if "StorageClass" in object_attributes:
        answer["StorageClass"] = version.storage_class
    if "Checksum" in object_attributes and version.checksum:
        answer["Checksum"] = checksum_of(version)
    if "ObjectParts" in object_attributes and version.part_count is not None:
        limit = ATTRIBUTE_PARTS_MAX if max_parts is None else min(max_parts, ATTRIBUTE_PARTS_MAX)
        answer["ObjectParts"] = _object_parts(version, after=part_number_marker or 0, limit=limit)
    return answer


def _object_parts(version: VersionRecord, *, after: int, limit: int) -> dict[str, Any]:
    parts = find_parts(version.id) or []
    following = [part for part in parts if part[0] > after]
    shown = following[:limit]
    answer: dict[str, Any] = {
        "TotalPartsCount": len(parts),
        "PartNumberMarker": after,
        "MaxParts": limit,
        "IsTruncated": len(following) > limit,
        "NextPartNumberMarker": shown[-1][0] if shown else after,
    }
    if version.checksum_type == "COMPOSITE":
        answer["Parts"] = [
            {"PartNumber": number, "Size": size, f"Checksum{version.checksum_algorithm}": checksum}
            for number, size, checksum in shown
        ]
    return answer
