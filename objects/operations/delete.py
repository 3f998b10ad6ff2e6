"""DeleteObject, DeleteObjects and DeleteBucket."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from buckets.context import RequestContext
from objects.attributes import KEY_BYTES_MAX
from objects.conditions import unquote_etag
from objects.operations.protection import may_bypass_governance
from objects.operations.read import is_version_id
from objects.operations.replicas import replica_claim
from objects.services import bucket as bucket_services
from objects.services.delete import DeleteConditions
from objects.services.delete import delete_object as delete_one
from s3protocol import errors
from s3protocol.registry import Decided, operation

DELETE_COUNT_MAX = 1_000


@operation("DeleteBucket", action="s3:DeleteBucket")
def delete_bucket(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Delete an empty bucket."""
    bucket_services.delete_bucket(bucket_id=context.bucket.id)
    return {}


@operation("DeleteObject", action="s3:DeleteObject", versioned_action="s3:DeleteObjectVersion")
def delete_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    version_id: str | None = None,
    bypass_governance_retention: bool | None = None,
    if_match: str | None = None,
    if_match_last_modified_time: datetime | None = None,
    if_match_size: int | None = None,
) -> dict[str, Any]:
    """Delete an object, or one version for good."""
    _check_version_id(version_id)
    claim = replica_claim(context, key, "s3:ReplicateDelete") if version_id is None else None
    deletion = delete_one(
        bucket_id=context.bucket.id,
        key=key,
        owner_id=context.writer_id,
        version_id=version_id,
        replica_id=None if claim is None else claim.version_id,
        conditions=_conditions(if_match, if_match_size, if_match_last_modified_time),
        is_bypassing=may_bypass_governance(context, bypass_governance_retention),
    )
    answer: dict[str, Any] = {}
    if deletion.version_id is not None:
        answer["VersionId"] = deletion.version_id
    if deletion.is_delete_marker:
        answer["DeleteMarker"] = True
    return answer


def _conditions(if_match: str | None, size_bytes: int | None, modified_at: datetime | None) -> DeleteConditions:
    return DeleteConditions(None if if_match is None else unquote_etag(if_match), size_bytes, modified_at)


def _check_version_id(version_id: str | None) -> None:
    if version_id is not None and not is_version_id(version_id):
        raise errors.InvalidArgument("Invalid version id specified", ArgumentName="versionId", ArgumentValue=version_id)


@operation("DeleteObjects", action="s3:DeleteObject", decided=Decided.FOR_EACH)
def delete_objects(
    context: RequestContext, *, bucket: str, delete: dict[str, Any], bypass_governance_retention: bool | None = None
) -> dict[str, Any]:
    """Delete up to DELETE_COUNT_MAX objects or versions; each succeeds or fails by itself."""
    named = delete["Objects"]
    if not 1 <= len(named) <= DELETE_COUNT_MAX:
        raise errors.MalformedXML
    deleted, failed = [], []
    for item in named:
        try:
            deleted.append(_delete_named(context, item, is_bypassing=bool(bypass_governance_retention)))
        except errors.S3Error as error:
            failed.append({**_name_of(item), "Code": error.code, "Message": error.message})
    answer: dict[str, Any] = {"Errors": failed} if failed else {}
    if not delete.get("Quiet", False):
        answer["Deleted"] = deleted
    return answer


def _name_of(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("Key", "VersionId") if name in item}


def _delete_named(context: RequestContext, item: dict[str, Any], *, is_bypassing: bool) -> dict[str, Any]:
    """Delete one of DeleteObjects' keys, with a decision of its own."""
    version_id = item.get("VersionId") or None
    action = "s3:DeleteObject" if version_id is None else "s3:DeleteObjectVersion"
    with context.one_of_many(action=action, key=item["Key"], version_id=version_id):
        context.authorize(action, key=item["Key"], stated={"s3:versionid": version_id} if version_id else None)
        return _delete_authorized(context, item, version_id, is_bypassing=is_bypassing)


def _delete_authorized(
    context: RequestContext, item: dict[str, Any], version_id: str | None, *, is_bypassing: bool
) -> dict[str, Any]:
    _check_version_id(version_id)
    if not item["Key"]:
        raise errors.UserKeyMustBeSpecified
    if len(item["Key"].encode()) > KEY_BYTES_MAX or "\0" in item["Key"]:
        return _name_of(item)  # no such key can be there
    deletion = delete_one(
        bucket_id=context.bucket.id,
        key=item["Key"],
        owner_id=context.writer_id,
        version_id=version_id,
        conditions=_conditions(item.get("ETag"), item.get("Size"), item.get("LastModifiedTime")),
        is_bypassing=may_bypass_governance(context, is_bypassing, item["Key"]),
    )
    answer = _name_of(item)
    if deletion.is_delete_marker:
        answer["DeleteMarker"] = True
        answer["DeleteMarkerVersionId"] = deletion.version_id
    return answer
