"""One session of the journal's writer: from the moment that it receives changes to the first failure, or the end."""

from __future__ import annotations

import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection

from chunks import topology as topologies
from chunks.records import MEBIBYTE
from chunks.throttle import Throttle
from journal.archive import NotKept, drop_records, find_records, keep_record, stores_of
from journal.barrier import slot_name
from journal.databases import connect
from journal.models import JournalMode, JournalState
from journal.record_format import RecordKind
from journal.segments import PENDING_BYTES_MAX, SegmentBuilder
from journal.services.state import ask_for_snapshot, begin_lineage, record_progress, record_segment, record_snapshot
from journal.services.upkeep import has_whole_snapshot, heal, next_snapshot_number, prune
from journal.snapshots import Snapshot, key_check, schema_digest, take_snapshot
from journal.stream import ChangeStream, Position
from journal.tables import list_migrations, list_partitions, list_sequences, publish_tables

FLUSH_SECONDS = 1.0  # how old a commit becomes at most before it is written to the nodes
RECEIVE_SECONDS = 0.2
RECEIVE_COUNT_MAX = 2_000
HEARTBEAT_SECONDS = 30.0
CHECK_SECONDS = 15.0  # how often to look whether a snapshot is due, and whether tables have changed
HEAL_SECONDS = 300.0
READ_COPIES_SECONDS = 24 * 3600.0
LAST_WORDS_SECONDS = 3.0
# A snapshot is due when the changes since the last outweigh it.
SEGMENT_BYTES_MIN = 64 << 20

logger = logging.getLogger("objstore.journal")

_SLOTS = """
SELECT slot_name, active, wal_status IS NOT DISTINCT FROM 'lost' FROM pg_replication_slots
 WHERE database = current_database() AND slot_name LIKE 'objstore\\_journal\\_%'
"""


class SnapshotThread(threading.Thread):
    """Takes a snapshot while the session goes on; afterwards `snapshot` or `error` says how it went."""

    def __init__(self, state: JournalState, *, first_segment: int) -> None:
        super().__init__(name="journal snapshot", daemon=True)
        self.first_segment = first_segment
        self.earlier_count, self.earlier_bytes = state.segment_count, state.segment_bytes
        self.snapshot: Snapshot | None = None
        self.error: Exception | None = None
        self._lineage = state.lineage.hex[:8]
        self._number = next_snapshot_number(state, topologies.current())

    def run(self) -> None:
        """Take it."""
        try:
            self.snapshot = take_snapshot(
                lineage=self._lineage, number=self._number, temporary_slot=f"objstore_snapshot_{self._lineage}"
            )
        except Exception as error:  # noqa: BLE001  the session says so, and tries again
            self.error = error
        finally:
            connection.close()


class HealThread(threading.Thread):
    """Sees to it that records have their copies while the session goes on; now and then by reading all of them."""

    def __init__(self, *, is_reading: bool) -> None:
        super().__init__(name="journal upkeep", daemon=True)
        self._is_reading = is_reading

    def run(self) -> None:
        """Look, and copy."""
        try:
            state, topology = JournalState.objects.get(), topologies.current()
            throttle = Throttle(settings.OBJSTORE_JOURNAL_MIB_PER_SECOND * MEBIBYTE) if self._is_reading else None
            short = heal(state, topology=topology, reading=throttle)
            if short:
                logger.warning("%d records of the journal were short of copies", short)
            if not has_whole_snapshot(state, topology=topology):
                logger.error("no node in reach has the newest snapshot of the metadata: another one is taken")
                ask_for_snapshot()
        except Exception:
            logger.exception("the copies of the journal could not be looked at")
        finally:
            connection.close()


class StreamingSession:
    """Receives, keeps, confirms."""

    def __init__(self, may_go_on: Callable[[], bool]) -> None:
        self._may_go_on = may_go_on
        self._header: dict[str, Any] = {}
        self._snapshot: SnapshotThread | None = None
        self._pending_since: float | None = None
        self._next_check = self._next_snapshot = self._next_heal = 0.0
        self._healing: HealThread | None = None
        self._next_reading = time.monotonic() + HEAL_SECONDS
        self._heard_at = float("-inf")
        self._holders: set[int] = set()
        self._in_reach: frozenset[int] = frozenset()

    def run(self) -> None:
        """Go on until told to stop; StreamBroken, NotKept and the database's errors end it before."""
        topology = topologies.refresh()
        with ChangeStream() as stream, connect() as database:
            self._stream, self._database = stream, database
            publish_tables(database)
            state = self._find_lineage(stream.system_identifier())
            self._lineage = state.lineage.hex[:8]
            self._segment = SegmentBuilder(
                self._lineage,
                self._next_number(state, topology),
                state.stored_lsn,
                state.durable_lsn,
                received_at=state.last_commit_at,
                session=secrets.randbits(16),
            )
            self._holders = set(state.holder_ids)
            stream.start(slot_name(self._lineage), state.durable_lsn)
            self._next_heal = time.monotonic() + HEAL_SECONDS
            while self._may_go_on():
                self._step()
            self._say_last_words()

    def catch_up(self, position: int, *, seconds: float) -> None:
        """Receive up to a position, or for a while."""
        deadline = time.monotonic() + seconds
        while self._segment.received_lsn < position and time.monotonic() < deadline:
            self._receive()
        self._keep_if_due(is_last=True)

    def _say_last_words(self) -> None:
        """Keep what was committed by now: those who write have ended before the journal does."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint")
            position = cursor.fetchone()[0]
        self.catch_up(position, seconds=LAST_WORDS_SECONDS)

    def _find_lineage(self, system_identifier: str) -> JournalState:
        """Return the state to go on with; a new one where what was journaled before can't be gone on with."""
        state = JournalState.objects.first()
        slots = {name: (is_active, is_lost) for name, is_active, is_lost in self._database.execute(_SLOTS).fetchall()}
        ours = None if state is None else slot_name(state.lineage.hex[:8])
        if (
            state is None
            or state.mode != JournalMode.STREAMING
            or state.system_identifier != system_identifier
            or ours not in slots
            or slots[ours][1]
        ):
            if ours in slots:
                logger.error("the server let go of its log before the journal had it: a new snapshot is taken")
            lineage = uuid.uuid4()
            ours = slot_name(lineage.hex[:8])
            lsn = self._stream.create_slot(ours)  # first: where there can be none, all stays as it is
            state = begin_lineage(mode=JournalMode.STREAMING, system_identifier=system_identifier, lineage=lineage)
            JournalState.objects.update(stored_lsn=lsn, durable_lsn=lsn)
            state.stored_lsn = state.durable_lsn = lsn
        for name, (is_active, _) in slots.items():
            if name != ours and not is_active:  # it would hold the server's log for ever
                self._database.execute("SELECT pg_drop_replication_slot(%s)", [name])
        return state

    def _next_number(self, state: JournalState, topology: topologies.Topology) -> int:
        found = find_records(stores_of(topology))
        listed = (
            name.number for name in found.holders if name.lineage == self._lineage and name.kind is RecordKind.SEGMENT
        )
        return max(state.segment_number, *listed, 0) + 1

    def _step(self) -> None:
        self._receive()
        self._keep_if_due()
        now = time.monotonic()
        if now >= self._next_check:
            self._check_schema()
            self._begin_snapshot_if_due()
            self._notice_nodes(topologies.current())
            self._next_check = now + CHECK_SECONDS
        if self._snapshot is not None and not self._snapshot.is_alive():
            self._end_snapshot(self._snapshot)
        if now - self._heard_at >= HEARTBEAT_SECONDS and not self._segment.has_commits:
            record_progress(durable_lsn=self._segment.received_lsn)
            self._heard_at = now
        if now >= self._next_heal and (self._healing is None or not self._healing.is_alive()):
            self._heal(now)

    def _notice_nodes(self, topology: topologies.Topology) -> None:
        """Look after the copies as soon as a node goes, or comes."""
        in_reach = frozenset(node.id for node in topology.writable if not topology.is_out_of_reach(node.id))
        if self._in_reach not in {frozenset(), in_reach}:
            self._next_heal = 0.0
        self._in_reach = in_reach

    def _heal(self, now: float) -> None:
        is_reading = now >= self._next_reading
        if is_reading:
            self._next_reading = now + READ_COPIES_SECONDS
        self._next_heal = now + HEAL_SECONDS
        self._healing = HealThread(is_reading=is_reading)
        self._healing.start()

    def _receive(self) -> None:
        for found in self._stream.receive(wait_seconds=RECEIVE_SECONDS, count_max=RECEIVE_COUNT_MAX):
            if isinstance(found, Position):
                self._segment.reached(found.lsn)
            else:
                self._segment.add(found)
                if self._segment.pending_bytes >= PENDING_BYTES_MAX:
                    self._keep()
        if self._segment.has_commits and self._pending_since is None:
            self._pending_since = time.monotonic()

    def _keep_if_due(self, *, is_last: bool = False) -> None:
        if self._segment.has_commits:
            assert self._pending_since is not None
            if is_last or time.monotonic() - self._pending_since >= FLUSH_SECONDS:
                self._keep()
            else:
                self._stream.confirm(0)
        else:
            self._stream.confirm(self._segment.received_lsn)

    def _keep(self) -> None:
        """Write what has come to the nodes, and only then let the server forget it."""
        if not self._header:
            self._check_schema()
        segment = self._segment
        # As they are now: further than in all that has come.
        partitions = [[one.parent, one.name, one.bound] for one in list_partitions(self._database)]
        sequences = list_sequences(self._database)
        name, buffers = segment.build({**self._header, "partitions": partitions, "sequences": sequences})
        try:
            holders = keep_record(name, buffers, topology=topologies.current(), copies=settings.OBJSTORE_JOURNAL_COPIES)
        except NotKept:
            segment.not_kept()
            raise
        kept = segment.kept(size_bytes=sum(map(len, buffers)), holder_ids=holders)
        self._pending_since = None
        record_segment(
            number=name.number,
            lsn=segment.stored_lsn,
            last_commit_at=segment.received_at,
            grown_bytes=kept.grown_bytes,
            is_new=kept.replaced is None,
            holder_ids=holders,
        )
        self._heard_at = time.monotonic()
        if self._holders and set(holders) != self._holders:
            self._next_heal = 0.0  # what another node holds no more is short of a copy since just now
        self._holders = set(holders)
        self._stream.confirm(segment.stored_lsn)
        if kept.replaced is not None:
            replaced, node_ids = kept.replaced
            drop_records([replaced], topology=topologies.current(), node_ids=node_ids)

    def _check_schema(self) -> None:
        """Follow what migrations and new partitions change. A segment is of one schema."""
        header = {
            "lineage": self._lineage,
            "migrations": list_migrations(self._database),
            "key_check": key_check(),
        }
        if header != self._header:
            publish_tables(self._database)
        if self._header and header != self._header:
            self._segment.begin_next()
        self._header = header

    def _begin_snapshot_if_due(self) -> None:
        state = JournalState.objects.get()
        if self._snapshot is not None or time.monotonic() < self._next_snapshot or not self._is_snapshot_due(state):
            return
        self._segment.begin_next()  # what came before the snapshot goes as a whole
        self._snapshot = SnapshotThread(state, first_segment=self._segment.number)
        self._snapshot.start()

    def _is_snapshot_due(self, state: JournalState) -> bool:
        if state.snapshot_at is None or state.snapshot_schema != schema_digest(self._header["migrations"]):
            return True
        age_seconds = (datetime.now(UTC) - state.snapshot_at).total_seconds()
        return state.segment_bytes >= max(SEGMENT_BYTES_MIN, state.snapshot_bytes) or (
            age_seconds >= settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS and state.segment_count > 0
        )

    def _end_snapshot(self, thread: SnapshotThread) -> None:
        self._snapshot = None
        if thread.snapshot is None:
            logger.error("no snapshot of the metadata could be taken: %s", thread.error)
            self._next_snapshot = time.monotonic() + CHECK_SECONDS
            return
        state = record_snapshot(thread.snapshot, earlier_count=thread.earlier_count, earlier_bytes=thread.earlier_bytes)
        pruned = prune(state, first_segment=thread.first_segment, topology=topologies.current())
        logger.info(
            "snapshot %d of the metadata: %d rows, %d bytes on %d nodes; %d older records deleted",
            thread.snapshot.number,
            thread.snapshot.row_count,
            thread.snapshot.size_bytes,
            len(thread.snapshot.holder_ids),
            pruned,
        )
