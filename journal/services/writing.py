"""The writer of the journal: takes committed changes from the server, keeps them on the nodes, and then lets go of them.

One at a time: an advisory lock says which. It may be killed between any two steps: the server repeats what was not
confirmed, and a replay skips what it has; a record is kept before anything says so, and what it replaces is deleted after.

Positions compare only within one life of a replication slot, on one timeline of one server: a lineage. When the slot is
lost or the server is another, a new lineage begins with a snapshot.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from chunks import topology as topologies
from journal.databases import connect
from journal.models import JournalMode, JournalState
from journal.services.state import begin_lineage, record_failure, record_snapshot
from journal.services.streaming import StreamingSession
from journal.services.upkeep import next_snapshot_number, prune
from journal.snapshots import take_snapshot
from journal.stream import StreamBroken, why_not_stream

RETRY_SECONDS = 5.0
STANDBY_SECONDS = 5.0
STREAM_RETRY_SECONDS = 15.0  # until a server that has never streamed is asked again

_LOCK_CLASS, _LOCK_NUMBER = 28516, 1

logger = logging.getLogger("objstore.journal")


class JournalWriter:
    """Keeps the journal until it is told to stop."""

    def __init__(self, may_go_on: Callable[[], bool]) -> None:
        self._may_go_on = may_go_on
        self._obstacle = ""

    def run(self) -> None:
        """Write whenever this process is the one to; after a failure, try again."""
        while self._may_go_on():
            try:
                if not _take_lock():
                    self._pause(STANDBY_SECONDS)
                else:
                    self._write()
            except Exception as error:  # noqa: BLE001  whatever it is, it is tried again
                self._fail(error)
            finally:
                with suppress(Exception):
                    connection.close()  # and with it the lock

    def _fail(self, error: Exception) -> None:
        text = " ".join(str(error).split()) or type(error).__name__
        logger.error("the journal stands still: %s", text)
        with suppress(Exception):
            connection.close()
            record_failure(text)
        self._pause(RETRY_SECONDS)

    def _write(self) -> None:
        """Journal every commit where the server lets us, else snapshots."""
        obstacle = why_not_stream()
        if not obstacle:
            try:
                StreamingSession(self._may_go_on).run()
            except StreamBroken as error:
                if settings.OBJSTORE_JOURNAL_REQUIRED or _has_streamed():
                    raise  # what was decoded so far waits for us; it is no time for less
                obstacle = str(error)
            else:
                return
        if settings.OBJSTORE_JOURNAL_REQUIRED:
            raise StreamBroken(f"{obstacle}, and OBJSTORE_JOURNAL is required")
        self._write_snapshots(obstacle)

    def _write_snapshots(self, obstacle: str) -> None:
        """Do what can be done without logical decoding, for a while."""
        if obstacle != self._obstacle:
            logger.warning(
                "not every commit can be journaled: %s. The metadata is kept as a snapshot every %d seconds instead, and what"
                " is committed between two would be lost with the database",
                obstacle,
                settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS,
            )
            self._obstacle = obstacle
        state = JournalState.objects.first()
        if state is None or state.mode != JournalMode.SNAPSHOTS:
            state = begin_lineage(mode=JournalMode.SNAPSHOTS, system_identifier="")
        if _age_seconds(state) >= settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS:
            self._write_snapshot(state)
        self._pause(min(STREAM_RETRY_SECONDS, settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS))

    def _write_snapshot(self, state: JournalState) -> None:
        number = next_snapshot_number(state, topologies.refresh())
        snapshot = take_snapshot(lineage=state.lineage.hex[:8], number=number, temporary_slot=None)
        state = record_snapshot(snapshot, is_streaming=False)
        prune(state, first_segment=0, topology=topologies.current())

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self._may_go_on() and time.monotonic() < until:
            time.sleep(0.2)


def catch_up() -> None:
    """Journal what was committed by now, before a migration changes the tables. Where that fails, a snapshot will do."""
    if not settings.OBJSTORE_JOURNAL or "journal_journalstate" not in connection.introspection.table_names():
        return
    try:
        if JournalState.objects.filter(mode=JournalMode.STREAMING).exists() and not why_not_stream() and _take_lock():
            StreamingSession(lambda: False).run()
    except Exception as error:  # noqa: BLE001  the journal itself says so again, and goes on trying
        logger.warning("the journal could not catch up before migrating: %s", error)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK_CLASS, _LOCK_NUMBER])


def end_journal() -> None:
    """Let the server forget that there was a journal: what it would keep for it would fill the disk."""
    with connect() as database:
        database.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE database = current_database() AND slot_name LIKE 'objstore\\_journal\\_%' AND NOT active"
        )
    JournalState.objects.all().delete()


def _has_streamed() -> bool:
    return JournalState.objects.filter(mode=JournalMode.STREAMING, snapshot_lsn__isnull=False).exists()


def _age_seconds(state: JournalState) -> float:
    return float("inf") if state.snapshot_at is None else (datetime.now(UTC) - state.snapshot_at).total_seconds()


def _take_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK_CLASS, _LOCK_NUMBER])
        return bool(cursor.fetchone()[0])
