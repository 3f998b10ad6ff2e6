"""When bytes may go: once the deletion of their rows is in the backup that a restore would use.

A fragment that is unlinked while the newest backup still refers to it is an object that a restore promises and can't give.
So whoever is about to delete bytes asks here first, after it has seen that their rows are gone.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection

from journal.models import JournalMode, JournalState

# A journal that has not caught up for so long stands still, and is not waited for.
STALL_SECONDS = 120.0
POLL_SECONDS = 0.05

logger = logging.getLogger("objstore.journal")

# What is visible was flushed before. Where commits don't wait for the disk, it is after three delays of the log's writer.
_UNTIL_FLUSHED = """
SELECT CASE WHEN current_setting('synchronous_commit') = 'off'
            THEN 3 * extract(epoch FROM current_setting('wal_writer_delay')::interval)::float ELSE 0 END
"""
_POSITION = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint"

# What the receiver has confirmed is newer than what it has written down.
_CONFIRMED = """
SELECT CASE WHEN s.snapshot_lsn IS NULL THEN 0
            ELSE greatest(s.durable_lsn, (r.confirmed_flush_lsn - '0/0'::pg_lsn)::bigint) END
  FROM journal_journalstate s
  LEFT JOIN pg_replication_slots r
    ON s.mode = 'streaming' AND r.slot_name = %s AND r.database = current_database()
"""


def slot_name(lineage: str) -> str:
    """Return the name of the replication slot of a lineage."""
    return f"objstore_journal_{lineage}"


def is_journaled(*, wait_seconds: float = 10.0) -> bool:
    """Tell whether all that is committed and visible now is on the nodes; wait a little for a journal that is well.

    Always so where there is no journal, or no snapshot yet and none of a predecessor: no backup refers to anything then. And so once the journal
    has stood still for OBJSTORE_JOURNAL_GARBAGE_SECONDS: the disks must not fill for ever.
    """
    if not settings.OBJSTORE_JOURNAL:
        return True
    state = JournalState.objects.first()
    if state is None or (state.snapshot_lsn is None and not state.predecessors):
        return True
    with connection.cursor() as cursor:
        cursor.execute(_UNTIL_FLUSHED)
        time.sleep(cursor.fetchone()[0])
        cursor.execute(_POSITION)
        position = cursor.fetchone()[0]
    deadline = time.monotonic() + (wait_seconds if _is_well(state) else 0)
    while not _has_confirmed(state, position):
        if time.monotonic() >= deadline:
            return _has_stood_still_too_long(state)
        time.sleep(POLL_SECONDS)
    return True


def _has_confirmed(state: JournalState, position: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_CONFIRMED, [slot_name(state.lineage.hex[:8])])
        row = cursor.fetchone()
    return row is None or row[0] >= position


def _is_well(state: JournalState) -> bool:
    since = state.confirmed_at or state.snapshot_at
    return (
        state.mode == JournalMode.STREAMING
        and since is not None
        and datetime.now(UTC) - since < timedelta(seconds=STALL_SECONDS)
    )


def _has_stood_still_too_long(state: JournalState) -> bool:
    since = state.confirmed_at or state.snapshot_at
    limit = settings.OBJSTORE_JOURNAL_GARBAGE_SECONDS
    if since is None or datetime.now(UTC) - since > timedelta(seconds=limit):
        logger.error("garbage is deleted although the journal has stood still since %s", since)
        return True
    logger.warning(
        "garbage waits for the journal, which had caught up at %s (%s)", since, state.last_error or "no error"
    )
    return False
