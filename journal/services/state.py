"""Writes of the one row that says how far the journal has come."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from journal.models import JournalMode, JournalState
from journal.snapshots import Snapshot


@transaction.atomic
def begin_lineage(*, mode: JournalMode, system_identifier: str, lineage: uuid.UUID | None = None) -> JournalState:
    """Begin a new run of records; those before it stay on the nodes until this one has a snapshot."""
    before = JournalState.objects.first()
    predecessors: list[uuid.UUID] = []
    if before is not None:
        predecessors = [*before.predecessors, before.lineage]
        before.delete()
    return JournalState.objects.create(
        lineage=lineage or uuid.uuid4(), predecessors=predecessors, mode=mode, system_identifier=system_identifier
    )


@transaction.atomic
def begin_after_restore(*, lineage: uuid.UUID | None) -> None:
    """Say where a restored database comes from: those records go once it has a snapshot of its own. None: they stay."""
    JournalState.objects.all().delete()
    JournalState.objects.create(
        lineage=uuid.uuid4(), predecessors=[] if lineage is None else [lineage], system_identifier="restored"
    )


def record_progress(**changes: Any) -> None:
    """Write down how far the journal has come."""
    JournalState.objects.update(confirmed_at=datetime.now(UTC), updated_at=datetime.now(UTC), last_error="", **changes)


def record_segment(
    *, number: int, lsn: int, last_commit_at: datetime | None, grown_bytes: int, is_new: bool, holder_ids: Sequence[int]
) -> None:
    """Write down that a segment is on the nodes, all that was committed before `lsn` included."""
    record_progress(
        segment_number=number,
        stored_lsn=lsn,
        durable_lsn=lsn,
        last_commit_at=last_commit_at,
        segment_count=F("segment_count") + int(is_new),
        segment_bytes=F("segment_bytes") + grown_bytes,
        holder_ids=list(holder_ids),
    )


def record_snapshot(
    snapshot: Snapshot, *, is_streaming: bool = True, earlier_count: int = 0, earlier_bytes: int = 0
) -> JournalState:
    """Write down that a snapshot is on the nodes; the `earlier` segments are in it."""
    changes = {} if is_streaming else {"durable_lsn": snapshot.lsn, "confirmed_at": snapshot.taken_at}
    JournalState.objects.update(
        snapshot_number=snapshot.number,
        snapshot_lsn=snapshot.lsn,
        snapshot_at=snapshot.taken_at,
        snapshot_bytes=snapshot.size_bytes,
        snapshot_schema=snapshot.schema,
        holder_ids=list(snapshot.holder_ids),
        segment_count=F("segment_count") - earlier_count,
        segment_bytes=F("segment_bytes") - earlier_bytes,
        last_error="",
        updated_at=datetime.now(UTC),
        **changes,
    )
    return JournalState.objects.get()


def forget_predecessors() -> None:
    """Write down that nothing of earlier lineages is on the nodes any more."""
    JournalState.objects.update(predecessors=[])


def record_failure(error: str) -> None:
    """Write down why the journal stands still."""
    JournalState.objects.update(last_error=error[:1000], updated_at=datetime.now(UTC))


def ask_for_snapshot() -> None:
    """Make a new snapshot due, of a journal that has one: what is in the records before leaves the nodes with them."""
    JournalState.objects.update(snapshot_schema="")
