"""Archived versions: what their class keeps from being read until it is restored for some days.

A restore is a row beside the version. RestoreObject makes it, the worker opens it and closes it when its days are over;
each step is one statement that says what must hold before, so that any of them may be repeated. No byte moves: the chunks
of an archive are as near as others, and what a restore grants is to read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from buckets.lifecycle import over_at
from buckets.storage_classes import DEEP_ARCHIVE, is_archive
from events.cause import RESTORE_ASKED, RESTORE_ENDED, RESTORED
from objects.models import ObjectVersion, Restore, RestoreTier
from objects.selectors.lookup import VersionRecord
from objects.selectors.restores import find_restore
from objects.services.events import note_version_event
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
    """Raise InvalidObjectState for a version whose bytes are archived and not restored. One statement for an archive."""
    if not is_archive(version.storage_class):
        return
    restore = find_restore(version.id)
    if restore is None or restore.restored_at is None:
        raise errors.InvalidObjectState(
            "The operation is not valid for the object's storage class", StorageClass=version.storage_class
        )


@transaction.atomic
def restore_object(*, version: VersionRecord, days: int, tier: RestoreTier, now: datetime, day_seconds: int) -> bool:
    """Ask for a version to be restored for `days`; say whether it was restored already, and has new days now.

    Raises InvalidObjectState for what is not archived, InvalidArgument for a tier that its class does not have,
    RestoreAlreadyInProgress unless a faster tier is asked for, NoSuchKey when the version is gone.
    """
    if not is_archive(version.storage_class):
        raise errors.InvalidObjectState(
            "Restore is not allowed for the object's current storage class", StorageClass=version.storage_class
        )
    if version.storage_class == DEEP_ARCHIVE and tier is RestoreTier.EXPEDITED:
        raise errors.InvalidArgument("Retrieval option is not supported by this storage class")
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
