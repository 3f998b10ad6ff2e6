"""Note when versions in INTELLIGENT_TIERING are read: once a day, so that a read costs a look and hardly ever a write."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

from objects.models import Monitoring

# Plan: primary keys. The version may be gone by now; who archives looks at the time under the row's lock.
_NOTE_ACCESS = """
INSERT INTO objects_monitoring (version_id, accessed_at)
SELECT v.id, %s FROM objects_objectversion v WHERE v.id = %s FOR KEY SHARE
ON CONFLICT (version_id) DO UPDATE SET accessed_at = EXCLUDED.accessed_at
"""


def note_access(version_row: int, *, now: datetime) -> None:
    """Note that a version is read, or has come into the class. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_ACCESS, [now, version_row])


def is_note_due(accessed_at: datetime | None, *, now: datetime, day_seconds: int) -> bool:
    """Say whether a read is to be noted: the last one that was is a day ago."""
    return accessed_at is None or accessed_at <= now - timedelta(seconds=day_seconds)


def forget_accesses(version_row: int) -> None:
    """Forget what is known of a version that leaves the class. One statement."""
    Monitoring.objects.filter(version_id=version_row).delete()
