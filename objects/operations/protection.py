"""What other operations ask of object lock: the protection of new versions, of shown ones, and the bypass of deletes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from accesscontrol.request_facts import StatedValues, retention_values
from buckets.context import RequestContext
from objects.operations.members import NewObjectMembers
from objects.retention import NO_LOCK, ObjectLock, checked_lock
from objects.selectors.lookup import VersionRecord
from s3protocol import errors


def require_locks(context: RequestContext) -> None:
    """Raise InvalidRequest in a bucket whose versions cannot be locked."""
    if not context.bucket.is_lock_enabled:
        raise errors.InvalidRequest("Bucket is missing Object Lock Configuration")


def requested_retention_values(retention: Mapping[str, Any], now: datetime) -> StatedValues:
    """Return what a document that locks a version says, as values of condition keys."""
    return retention_values(retention.get("Mode"), retention.get("RetainUntilDate"), now)


def legal_hold_values(legal_hold: Mapping[str, Any]) -> StatedValues:
    """Return what a document that holds a version says, as values of condition keys."""
    return {"s3:object-lock-legal-hold": legal_hold["Status"]} if "Status" in legal_hold else {}


def is_allowed(
    context: RequestContext, action: str, key: str | None = None, stated: StatedValues | None = None
) -> bool:
    """Say whether the principal may also do another action with the addressed object, or with that of another key."""
    if key is not None:
        return context.decide(action, key=key, stated=stated).is_allowed
    return context.decide(action, key=context.key, version=context.version, stated=stated).is_allowed


def may_bypass_governance(
    context: RequestContext,
    is_requested: bool | None,  # noqa: FBT001  the member's value
    key: str | None = None,
    stated: StatedValues | None = None,
) -> bool:
    """Say whether retention in GOVERNANCE mode is lifted for an object: the request asks for that, and it may."""
    return bool(is_requested) and is_allowed(context, "s3:BypassGovernanceRetention", key, stated)


def requested_lock(context: RequestContext, members: NewObjectMembers) -> ObjectLock:
    """Read and authorize the protection that a new version is to have by its own headers.

    Raises InvalidRequest, InvalidArgument, AccessDenied.
    """
    mode, legal_hold = members.get("object_lock_mode"), members.get("object_lock_legal_hold_status")
    retain_until = members.get("object_lock_retain_until_date")
    if mode is None and retain_until is None and legal_hold is None:
        return NO_LOCK
    require_locks(context)
    lock = checked_lock(mode, retain_until, legal_hold, now=datetime.now(UTC))
    if lock.retain_until is not None:
        context.authorize("s3:PutObjectRetention", key=context.key)
    if lock.legal_hold is not None:
        context.authorize("s3:PutObjectLegalHold", key=context.key)
    return lock


def require_digest(context: RequestContext, lock: ObjectLock) -> None:
    """Raise InvalidRequest for a body to be locked that came without a digest: what is wrong could never be removed."""
    if not lock.is_nothing and context.body.claimed_md5() is None and context.body.checksum_algorithm is None:
        raise errors.InvalidRequest(
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )


def lock_members(context: RequestContext, version: VersionRecord) -> dict[str, Any]:
    """Render a version's protection for those who may see it."""
    members: dict[str, Any] = {}
    if version.retain_until is not None and is_allowed(context, "s3:GetObjectRetention"):
        members |= {"ObjectLockMode": version.lock_mode, "ObjectLockRetainUntilDate": version.retain_until}
    if version.legal_hold is not None and is_allowed(context, "s3:GetObjectLegalHold"):
        members["ObjectLockLegalHoldStatus"] = on_or_off(version.legal_hold)
    return members


def on_or_off(legal_hold: bool) -> str:  # noqa: FBT001  the value is what is rendered
    """Render a legal hold."""
    return "ON" if legal_hold else "OFF"
