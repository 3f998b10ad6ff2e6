"""Object lock: the configuration of a bucket, the retention and the legal hold of a version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from buckets.context import RequestContext
from buckets.selectors import find_default_retention
from buckets.services import put_object_lock_configuration as store_configuration
from objects.operations.protection import (
    may_bypass_governance,
    on_or_off,
    requested_retention_values,
    require_locks,
)
from objects.operations.read import readable_version
from objects.retention import checked_default_retention, checked_retention
from objects.services import locking as services
from s3protocol import errors
from s3protocol.registry import Decided, operation

TOKEN = {"Token": "AWS asked for it where object lock came to an existing bucket; it no longer does"}


@operation("GetObjectLockConfiguration", action="s3:GetBucketObjectLockConfiguration")
def get_object_lock_configuration(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return whether versions can be locked, and what new ones get by default."""
    if not context.bucket.is_lock_enabled:
        raise errors.ObjectLockConfigurationNotFoundError(BucketName=bucket)
    configuration: dict[str, Any] = {"ObjectLockEnabled": "Enabled"}
    retention = find_default_retention(context.bucket.id)
    if retention is not None:
        configuration["Rule"] = {"DefaultRetention": retention}
    return {"ObjectLockConfiguration": configuration}


@operation("PutObjectLockConfiguration", action="s3:PutBucketObjectLockConfiguration", harmless=TOKEN)
def put_object_lock_configuration(
    context: RequestContext, *, bucket: str, object_lock_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Let versions be locked, for ever, and set or remove the default retention."""
    store_configuration(
        bucket_id=context.bucket.id, default_retention=checked_default_retention(object_lock_configuration)
    )
    return {}


@operation("GetObjectRetention", action="s3:GetObjectRetention", reads_object=True)
def get_object_retention(
    context: RequestContext, *, bucket: str, key: str, version_id: str | None = None
) -> dict[str, Any]:
    """Return a version's retention."""
    require_locks(context)
    version = readable_version(context, key, version_id)
    if version.retain_until is None:
        raise errors.NoSuchObjectLockConfiguration(Key=key)
    return {"Retention": {"Mode": version.lock_mode, "RetainUntilDate": version.retain_until}}


@operation("PutObjectRetention", action="s3:PutObjectRetention", reads_object=True, decided=Decided.BY_BODY)
def put_object_retention(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    retention: dict[str, Any],
    version_id: str | None = None,
    bypass_governance_retention: bool | None = None,
) -> dict[str, Any]:
    """Set, lengthen, and where that is allowed shorten or remove a version's retention."""
    require_locks(context)
    version = readable_version(context, key, version_id)
    now = datetime.now(UTC)
    mode, retain_until = checked_retention(retention, now=now)
    services.put_object_retention(
        version_row=version.id,
        mode=mode,
        retain_until=retain_until,
        now=now,
        is_bypassing=may_bypass_governance(
            context, bypass_governance_retention, stated=requested_retention_values(retention, now)
        ),
    )
    return {}


@operation("GetObjectLegalHold", action="s3:GetObjectLegalHold", reads_object=True)
def get_object_legal_hold(
    context: RequestContext, *, bucket: str, key: str, version_id: str | None = None
) -> dict[str, Any]:
    """Return whether a version is held."""
    require_locks(context)
    version = readable_version(context, key, version_id)
    if version.legal_hold is None:
        raise errors.NoSuchObjectLockConfiguration(Key=key)
    return {"LegalHold": {"Status": on_or_off(version.legal_hold)}}


@operation("PutObjectLegalHold", action="s3:PutObjectLegalHold", reads_object=True, decided=Decided.BY_BODY)
def put_object_legal_hold(
    context: RequestContext, *, bucket: str, key: str, legal_hold: dict[str, Any], version_id: str | None = None
) -> dict[str, Any]:
    """Hold a version, or let it go."""
    require_locks(context)
    version = readable_version(context, key, version_id)
    if "Status" not in legal_hold:
        raise errors.MalformedXML
    services.put_object_legal_hold(version_row=version.id, is_held=legal_hold["Status"] == "ON")
    return {}
