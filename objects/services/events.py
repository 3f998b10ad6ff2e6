"""Note what happens to a version beside its coming and going: tags, grants, retention, restores.

What publishing and deleting note, they note themselves (`objects/sql/publish.sql`).
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from events.cause import cause_document


def note_version_event(version_row: int, event_name: str, details: dict[str, Any] | None = None) -> None:
    """Put an event about a version into the outbox, in the transaction that has changed it. One statement.

    `event_name` is without `s3:`; `details` are members of the record beside `s3`. Nothing where nobody is told.
    """
    assert connection.in_atomic_block, "the event belongs to the transaction of the change"
    cause = cause_document(event_name)
    if details:
        cause["details"] = details
    with connection.cursor() as cursor:
        cursor.execute("SELECT objects_note_version_event(%s, %s::jsonb)", [version_row, json.dumps(cause)])


def note_version_change(version_row: int, event_name: str | None) -> None:
    """Note a change of a version's tags, grants or protection: for replication, and as an event if it has a name.

    One statement, in the transaction of the change.
    """
    assert connection.in_atomic_block, "the note belongs to the transaction of the change"
    with connection.cursor() as cursor:
        cursor.execute("SELECT objects_queue_change(%s)", [version_row])
    if event_name is not None:
        note_version_event(version_row, event_name)
