"""Archived versions: what their class keeps from being read until it is restored for some days.

A restore is a row beside the version. RestoreObject makes it, the worker opens it and closes it when its days are over;
each step is one statement that says what must hold before, so that any of them may be repeated. No byte moves: the chunks
of an archive are as near as others, and what a restore grants is to read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection, transaction

from buckets.lifecycle import over_at
from buckets.storage_classes import DEEP_ARCHIVE, INTELLIGENT_TIERING, is_archive
from events.cause import RESTORE_ASKED, RESTORE_ENDED, RESTORED
from objects.models import AccessTier, Monitoring, ObjectVersion, Restore, RestoreTier
from objects.selectors.lookup import VersionRecord
from objects.selectors.monitoring import Monitored, find_monitored
from objects.selectors.restores import find_restore
from objects.services.events import note_version_event
from objects.services.monitoring import is_note_due, note_access
from s3protocol import errors
from s3protocol.timestamps import format_iso8601

BATCH_SIZE = 500

# Plan: the index restores_pending. The rivals are other workers, and requests for a faster tier.
_CLAIM_PENDING = """
SELECT r.id, r.days, v.id, v.storage_class
  FROM objects_restore r JOIN objects_objectversion v ON v.id = r.version_id
 WHERE r.restored_at IS NULL ORDER BY r.tier, r.requested_at LIMIT %s FOR UPDATE OF r SKIP LOCKED
"""

# Plan: the index restores_by_end. A request for more days that came first is seen by the condition.
_CLOSE = """
DELETE FROM objects_restore WHERE id IN (
    SELECT id FROM objects_restore WHERE expires_at <= %s ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING version_id
"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a run of the worker did: restores opened and closed."""

    opened: int = 0
    closed: int = 0


def require_unarchived(version: VersionRecord) -> None:
    """Raise InvalidObjectState for a version whose bytes are archived and not restored; note that others are read.

    One statement for an archive, and for INTELLIGENT_TIERING, where a second one notes the day's first read.
    """
    monitored = find_monitored(version)
    if monitored is not None:
        _read_monitored(version, monitored)
    if not is_archive(version.storage_class):
        return
    restore = find_restore(version.id)
    if restore is None or restore.restored_at is None:
        raise errors.InvalidObjectState(
            "The operation is not valid for the object's storage class", StorageClass=version.storage_class
        )


def _read_monitored(version: VersionRecord, monitored: Monitored) -> None:
    if monitored.is_archived:
        raise errors.InvalidObjectState(
            "The operation is not valid for the object's access tier",
            StorageClass=version.storage_class,
            AccessTier=monitored.tier.name,
        )
    now = datetime.now(UTC)
    if is_note_due(monitored.accessed_at, now=now, day_seconds=settings.OBJSTORE_LIFECYCLE_DAY_SECONDS):
        note_access(version.id, now=now)


@transaction.atomic
def restore_object(
    *, version: VersionRecord, days: int | None, tier: RestoreTier, now: datetime, day_seconds: int
) -> bool:
    """Ask for a version to be restored for `days`; say whether it was restored already, and has new days now.

    What intelligent tiering has archived comes back for good, without days. Raises InvalidObjectState for what is not
    archived, InvalidArgument for a tier that its class does not have, MalformedXML for days that are missing,
    RestoreAlreadyInProgress unless a faster tier is asked for, NoSuchKey when the version is gone.
    """
    monitored = find_monitored(version)
    if monitored is None or not monitored.is_archived:
        _require_archive(version, days)
    elif days is not None:
        raise errors.InvalidArgument("Days cannot be specified for this storage class", ArgumentName="Days")
    is_deep = version.storage_class == DEEP_ARCHIVE or (
        monitored is not None and monitored.tier is AccessTier.DEEP_ARCHIVE_ACCESS
    )
    if is_deep and tier is RestoreTier.EXPEDITED:
        raise errors.InvalidArgument("Retrieval option is not supported by this storage class")
    if monitored is not None:
        note_access(version.id, now=now)  # so that it does not go deeper meanwhile
    return _ask(version, days or 0, tier, now=now, day_seconds=day_seconds)


def _require_archive(version: VersionRecord, days: int | None) -> None:
    if not is_archive(version.storage_class):
        raise errors.InvalidObjectState(
            "Restore is not allowed for the object's current storage class", StorageClass=version.storage_class
        )
    if days is None:
        raise errors.MalformedXML


def _ask(version: VersionRecord, days: int, tier: RestoreTier, *, now: datetime, day_seconds: int) -> bool:
    # The row of the version keeps it from being erased or moved meanwhile.
    rows = ObjectVersion.objects.select_for_update(no_key=True)
    if not rows.filter(pk=version.id, deleted_at=None, storage_class=version.storage_class).exists():
        raise errors.NoSuchKey(Key=version.key)
    restore = Restore.objects.select_for_update().filter(version_id=version.id).first()
    if restore is None:
        Restore.objects.create(version_id=version.id, days=days, tier=tier)
        note_version_event(version.id, RESTORE_ASKED)
        return False
    if restore.restored_at is not None:
        restore.days, restore.expires_at = days, over_at(now, days, day_seconds)
        restore.save(update_fields=["days", "expires_at"])
        return True
    if tier >= restore.tier:
        raise errors.RestoreAlreadyInProgress("Object restore is already in progress")
    restore.tier = tier
    restore.save(update_fields=["tier"])
    return False


def carry_out_restores(*, now: datetime, day_seconds: int, batch_size: int = BATCH_SIZE) -> Restored:
    """Open a batch of the restores that were asked for, the fastest tier first, and close one of those that are over."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM_PENDING, [batch_size])
            pending = cursor.fetchall()
        for row, days, version_row, storage_class in pending:
            if storage_class == INTELLIGENT_TIERING:
                _end_archiving(row, version_row, now=now)
                continue
            ends_at = over_at(now, days, day_seconds)
            Restore.objects.filter(pk=row).update(restored_at=now, expires_at=ends_at)
            told = {
                "lifecycleRestorationExpiryTime": format_iso8601(ends_at),
                "lifecycleRestoreStorageClass": storage_class,
            }
            note_version_event(version_row, RESTORED, {"glacierEventData": {"restoreEventData": told}})
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLOSE, [now, batch_size])
            closed = [row[0] for row in cursor.fetchall()]
        for version_row in closed:
            note_version_event(version_row, RESTORE_ENDED)
    return Restored(len(pending), len(closed))


def _end_archiving(restore_row: int, version_row: int, *, now: datetime) -> None:
    """Let a version in INTELLIGENT_TIERING be read again, as one that was read just now."""
    Monitoring.objects.filter(version_id=version_row).update(tier=AccessTier.ACCESS, accessed_at=now)
    Restore.objects.filter(pk=restore_row).delete()
    note_version_event(version_row, RESTORED)
