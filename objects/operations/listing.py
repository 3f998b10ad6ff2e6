"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accesscontrol.authorization import object_owner_id
from accesscontrol.requested_acl import account_members
from buckets.context import RequestContext
from buckets.storage_classes import is_archive
from objects.listing import PAGE_SIZE_MAX, WalkBounds, decode_token, encode_token, walk_bounds
from objects.operations.answers import quoted
from objects.operations.read import is_version_id
from objects.operations.restores import restore_status
from objects.selectors import listing as selectors
from objects.selectors.as_of import find_version_row_as_of, list_object_versions_as_of, list_objects_as_of
from objects.selectors.listing import ListedObject, ListedVersion
from objects.selectors.restores import RestoreRecord, find_restores
from s3protocol import errors
from s3protocol.codec.keys import encode_key
from s3protocol.registry import operation

Encode = Callable[[str], str]

_BEFORE_ALL = (1 << 63) - 1  # no version has so high a row: the newest come first


@operation("ListObjects", action="s3:ListBucket")
def list_objects(
    context: RequestContext,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    marker: str | None = None,
    max_keys: int | None = None,
    optional_object_attributes: list[str] | None = None,
    prefix: str | None = None,
) -> dict[str, Any]:
    """List a bucket, in the old form."""
    encode = _encoder(encoding_type)
    limit = _limit(max_keys)
    found, is_truncated = _list_objects(context, prefix, delimiter, marker or "", limit)
    answer = _page(
        bucket=bucket,
        prefix=prefix,
        delimiter=delimiter,
        encoding_type=encoding_type,
        limit=limit,
        is_truncated=is_truncated,
        encode=encode,
    )
    # In the old form, clients decode everything but the prefix.
    answer["Prefix"] = prefix or ""
    answer["Marker"] = encode(marker or "")
    restores = _restores(found, optional_object_attributes)
    answer["Contents"] = [
        {**_shown_object(context, item, encode, with_owner=True), **restore_status(restores.get(item.version_row or 0))}
        for item in found
        if not item.is_common_prefix
    ]
    answer["CommonPrefixes"] = _common_prefixes(found, encode)
    if is_truncated and delimiter and found:
        answer["NextMarker"] = encode(found[-1].name)
    return answer


@operation("ListObjectsV2", action="s3:ListBucket")
def list_objects_v2(
    context: RequestContext,
    *,
    bucket: str,
    continuation_token: str | None = None,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    fetch_owner: bool | None = None,
    max_keys: int | None = None,
    optional_object_attributes: list[str] | None = None,
    prefix: str | None = None,
    start_after: str | None = None,
) -> dict[str, Any]:
    """List a bucket."""
    encode = _encoder(encoding_type)
    limit = _limit(max_keys)
    after = decode_token(continuation_token) if continuation_token else start_after or ""
    found, is_truncated = _list_objects(context, prefix, delimiter, after, limit)
    answer = _page(
        bucket=bucket,
        prefix=prefix,
        delimiter=delimiter,
        encoding_type=encoding_type,
        limit=limit,
        is_truncated=is_truncated,
        encode=encode,
    )
    answer["KeyCount"] = len(found)
    restores = _restores(found, optional_object_attributes)
    answer["Contents"] = [
        {
            **_shown_object(context, item, encode, with_owner=bool(fetch_owner)),
            **restore_status(restores.get(item.version_row or 0)),
        }
        for item in found
        if not item.is_common_prefix
    ]
    answer["CommonPrefixes"] = _common_prefixes(found, encode)
    if start_after is not None:
        answer["StartAfter"] = encode(start_after)
    if continuation_token is not None:
        answer["ContinuationToken"] = continuation_token
    if is_truncated and found:
        answer["NextContinuationToken"] = encode_token(found[-1].name)
    return answer


@operation("ListObjectVersions", action="s3:ListBucketVersions")
def list_object_versions(
    context: RequestContext,
    *,
    bucket: str,
    delimiter: str | None = None,
    encoding_type: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = None,
    optional_object_attributes: list[str] | None = None,
    prefix: str | None = None,
    version_id_marker: str | None = None,
) -> dict[str, Any]:
    """List all versions and delete markers, newest first within a key."""
    if version_id_marker and not key_marker:
        raise errors.InvalidArgument(
            "A version-id marker cannot be specified without a key marker.", ArgumentName="version-id-marker"
        )
    encode = _encoder(encoding_type)
    limit = _limit(max_keys)
    before = None
    if version_id_marker and key_marker:
        before = _version_row(context, key_marker, version_id_marker)
    bounds = walk_bounds(prefix=prefix or "", delimiter=delimiter or "", after=key_marker or "")
    found, is_truncated = _list_versions(context, bounds, before, limit)
    answer = _page(
        bucket=bucket,
        prefix=prefix,
        delimiter=delimiter,
        encoding_type=encoding_type,
        limit=limit,
        is_truncated=is_truncated,
        encode=encode,
    )
    answer["KeyMarker"] = encode(key_marker or "")
    answer["VersionIdMarker"] = version_id_marker or ""
    restores = _restores(found, optional_object_attributes)
    answer["Versions"] = [
        {**_shown_version(context, item, encode), **restore_status(restores.get(item.version_row or 0))}
        for item in found
        if not item.is_common_prefix and not item.is_delete_marker
    ]
    answer["DeleteMarkers"] = [
        _shown_marker(context, item, encode) for item in found if not item.is_common_prefix and item.is_delete_marker
    ]
    answer["CommonPrefixes"] = _common_prefixes(found, encode)
    if is_truncated:
        answer["NextKeyMarker"] = encode(found[-1].name)
        if not found[-1].is_common_prefix:
            answer["NextVersionIdMarker"] = found[-1].version_id
    return answer


def _list_objects(
    context: RequestContext, prefix: str | None, delimiter: str | None, after: str, limit: int
) -> tuple[list[ListedObject], bool]:
    if limit == 0:
        return [], False
    bounds = walk_bounds(prefix=prefix or "", delimiter=delimiter or "", after=after)
    if context.as_of is not None:
        return list_objects_as_of(bucket_id=context.bucket.id, bounds=bounds, limit=limit, moment=context.as_of)
    return selectors.list_objects(bucket_id=context.bucket.id, bounds=bounds, limit=limit)


def _list_versions(
    context: RequestContext, bounds: WalkBounds, before: int | None, limit: int
) -> tuple[list[ListedVersion], bool]:
    if limit == 0:
        return [], False
    bucket_id, moment = context.bucket.id, context.as_of
    if moment is not None:
        return list_object_versions_as_of(
            bucket_id=bucket_id, bounds=bounds, before_version=before, limit=limit, moment=moment
        )
    return selectors.list_object_versions(bucket_id=bucket_id, bounds=bounds, before_version=before, limit=limit)


def _version_row(context: RequestContext, key: str, version_id: str) -> int:
    """Return the row behind which a listing resumes inside a key. Raises InvalidArgument for what is no version id.

    A version that has gone meanwhile, as it does where a client deletes page by page, is before all that are left.
    """
    if not is_version_id(version_id):
        raise errors.InvalidArgument(
            "Invalid version id specified", ArgumentName="version-id-marker", ArgumentValue=version_id
        )
    row = None
    if context.as_of is not None:
        row = find_version_row_as_of(
            bucket_name=context.bucket.name, key=key, version_id=version_id, moment=context.as_of
        )
    else:
        row = selectors.find_version_row(bucket_id=context.bucket.id, key=key, version_id=version_id)
    return _BEFORE_ALL if row is None else row


def _limit(max_keys: int | None) -> int:
    return PAGE_SIZE_MAX if max_keys is None else min(max_keys, PAGE_SIZE_MAX)


def _encoder(encoding_type: str | None) -> Encode:
    return encode_key if encoding_type == "url" else str


def _page(
    *,
    bucket: str,
    prefix: str | None,
    delimiter: str | None,
    encoding_type: str | None,
    limit: int,
    is_truncated: bool,
    encode: Encode,
) -> dict[str, Any]:
    """Render what all listings say of themselves."""
    page: dict[str, Any] = {
        "Name": bucket,
        "Prefix": encode(prefix or ""),
        "MaxKeys": limit,
        "IsTruncated": is_truncated,
    }
    if delimiter:
        page["Delimiter"] = encode(delimiter)
    if encoding_type:
        page["EncodingType"] = encoding_type
    return page


def _common_prefixes(found: list[ListedObject] | list[ListedVersion], encode: Encode) -> list[dict[str, str]]:
    return [{"Prefix": encode(item.name)} for item in found if item.is_common_prefix]


def _restores(
    found: list[ListedObject] | list[ListedVersion], attributes: list[str] | None
) -> dict[int, RestoreRecord]:
    """Return the restores of what is listed, by row, where they are asked for. One statement if any is archived."""
    if "RestoreStatus" not in (attributes or []):
        return {}
    rows = [item.version_row for item in found if item.version_row is not None and is_archive(item.storage_class)]
    return find_restores(rows)


def _owner(context: RequestContext, item: ListedObject | ListedVersion) -> dict[str, str]:
    """Render whose an object is: its writer's, or the bucket owner's who enforces that."""
    return account_members(object_owner_id(context.bucket, item.owner_id))


def _shown_object(context: RequestContext, item: ListedObject, encode: Encode, *, with_owner: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Key": encode(item.name),
        "LastModified": item.modified_at,
        "ETag": quoted(item.etag),
        "Size": item.size_bytes,
        "StorageClass": item.storage_class,
    }
    if item.checksum_algorithm:
        shown["ChecksumAlgorithm"] = [item.checksum_algorithm]
        shown["ChecksumType"] = item.checksum_type
    if with_owner:
        shown["Owner"] = _owner(context, item)
    return shown


def _shown_version(context: RequestContext, item: ListedVersion, encode: Encode) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "Key": encode(item.name),
        "VersionId": item.version_id,
        "IsLatest": item.is_latest,
        "LastModified": item.modified_at,
        "ETag": quoted(item.etag),
        "Size": item.size_bytes,
        "StorageClass": item.storage_class,
        "Owner": _owner(context, item),
    }
    if item.checksum_algorithm:
        shown["ChecksumAlgorithm"] = [item.checksum_algorithm]
        shown["ChecksumType"] = item.checksum_type
    return shown


def _shown_marker(context: RequestContext, item: ListedVersion, encode: Encode) -> dict[str, Any]:
    return {
        "Key": encode(item.name),
        "VersionId": item.version_id,
        "IsLatest": item.is_latest,
        "LastModified": item.modified_at,
        "Owner": _owner(context, item),
    }
