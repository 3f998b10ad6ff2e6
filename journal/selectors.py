"""What people ask of the journal: whether it is well, and how far it is behind."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from chunks import topology as topologies
from journal.barrier import STALL_SECONDS, slot_name
from journal.models import JournalMode, JournalState

# The log that was written since what the journal has confirmed; what of it concerns other databases is in it too.
_BEHIND = """
SELECT (pg_current_wal_flush_lsn() - greatest('0/0'::pg_lsn + %s::bigint, (
           SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = %s)))::bigint,
       coalesce((SELECT active FROM pg_replication_slots WHERE slot_name = %s), false)
"""


@dataclass(frozen=True, slots=True)
class JournalStatus:
    """How the journal fares. `complaint` is empty while it is well."""

    complaint: str
    mode: str | None = None
    lineage: str = ""
    behind_bytes: int = 0
    confirmed_at: datetime | None = None
    last_commit_at: datetime | None = None
    segment_count: int = 0
    segment_bytes: int = 0
    snapshot_at: datetime | None = None
    snapshot_bytes: int = 0
    holders: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        document = asdict(self)
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in document.items()}


def journal_status() -> JournalStatus:
    """Look at the journal: two statements."""
    if not settings.OBJSTORE_JOURNAL:
        return JournalStatus("the journal is switched off (OBJSTORE_JOURNAL): a lost database cannot be rebuilt")
    state = JournalState.objects.first()
    if state is None:
        return JournalStatus("no journal has been written yet")
    with connection.cursor() as cursor:
        slot = slot_name(state.lineage.hex[:8])
        cursor.execute(_BEHIND, [state.durable_lsn, slot, slot])
        behind_bytes, is_active = cursor.fetchone()
    nodes = topologies.current().nodes
    return JournalStatus(
        _complain(state, is_active=is_active),
        state.mode,
        state.lineage.hex[:8],
        max(0, behind_bytes),
        state.confirmed_at,
        state.last_commit_at,
        state.segment_count,
        state.segment_bytes,
        state.snapshot_at,
        state.snapshot_bytes,
        tuple(nodes[node_id].name for node_id in state.holder_ids if node_id in nodes),
    )


def _complain(state: JournalState, *, is_active: bool) -> str:
    if state.last_error:
        return state.last_error
    if state.snapshot_at is None:
        return "the first snapshot is not finished"
    now = datetime.now(UTC)
    if state.mode == JournalMode.SNAPSHOTS:
        if now - state.snapshot_at > timedelta(seconds=2 * settings.OBJSTORE_JOURNAL_SNAPSHOT_SECONDS):
            return f"the last snapshot is of {state.snapshot_at}"
        return ""
    if not is_active:
        return "nobody writes the journal"
    if state.confirmed_at is None or now - state.confirmed_at > timedelta(seconds=STALL_SECONDS):
        return f"the journal has not caught up since {state.confirmed_at}"
    return ""
