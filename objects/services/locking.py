"""Writes of a version's protection. They lock the version's row, so that a change is judged against what it changes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from events.cause import RETENTION_PUT
from objects.models import ObjectVersion
from objects.retention import ObjectLock, check_change
from objects.services.events import note_version_change
from s3protocol import errors


def put_object_retention(
    *, version_row: int, mode: str, retain_until: datetime | None, now: datetime, is_bypassing: bool
) -> None:
    """Replace the retention of a visible version; no time removes it.

    Raises AccessDenied for what the retention that it has forbids, NoSuchKey when the version is gone meanwhile.
    """
    with transaction.atomic():
        version = ObjectVersion.objects.select_for_update().filter(pk=version_row, deleted_at=None).first()
        if version is None:
            raise errors.NoSuchKey
        held = ObjectLock(version.lock_mode, version.retain_until, version.legal_hold)
        check_change(held, mode, retain_until, now=now, is_bypassing=is_bypassing)
        ObjectVersion.objects.filter(pk=version_row).update(lock_mode=mode, retain_until=retain_until)
        note_version_change(version_row, RETENTION_PUT)


def put_object_legal_hold(*, version_row: int, is_held: bool) -> None:
    """Hold a visible version, or let it go. Raises NoSuchKey when it is gone meanwhile."""
    with transaction.atomic():
        if not ObjectVersion.objects.filter(pk=version_row, deleted_at=None).update(legal_hold=is_held):
            raise errors.NoSuchKey
        note_version_change(version_row, None)
