"""What answers say of the restores of archived objects."""

from __future__ import annotations

from typing import Any

from buckets.storage_classes import is_archive
from objects.selectors.lookup import VersionRecord
from objects.selectors.monitoring import find_monitored
from objects.selectors.restores import RestoreRecord, find_restore
from s3protocol.timestamps import format_http_date


def restore_members(version: VersionRecord) -> dict[str, Any]:
    """Render x-amz-restore of a version that is or was archived and asked for, and the tier of one in tiers.

    One statement for an archive and for INTELLIGENT_TIERING.
    """
    monitored = find_monitored(version)
    tier = {"ArchiveStatus": monitored.tier.name} if monitored is not None and monitored.is_archived else {}
    if not tier and not is_archive(version.storage_class):
        return {}
    restore = find_restore(version.id)
    if restore is None:
        return tier
    if restore.expires_at is None:
        return tier | {"Restore": 'ongoing-request="true"'}
    return {"Restore": f'ongoing-request="false", expiry-date="{format_http_date(restore.expires_at)}"'}


def restore_status(restore: RestoreRecord | None) -> dict[str, Any]:
    """Render the RestoreStatus of a listing's item, which has none where nobody asked for it."""
    if restore is None:
        return {}
    if restore.expires_at is None:
        return {"RestoreStatus": {"IsRestoreInProgress": True}}
    return {"RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": restore.expires_at}}
