"""The duties: each a function that goes on until there is nothing to do or its time is up, and says what it did.

Not for: how a duty does its work; that is a service of `objects` or `chunks`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError

from audit.services.partitions import drop_partitions, make_partitions
from audit.services.sealing import seal_rows, settled_id
from chunks import services as chunk_services
from chunks.records import MEBIBYTE
from chunks.services import LostNodes, NodeProbe, RepairReport, ScrubReport, SweepReport
from chunks.throttle import Throttle
from events.services.delivery import Delivered, waiting_targets
from events.services.delivery import deliver_events as deliver_to_target
from journal.barrier import is_journaled
from objects.selectors.lifecycle import find_due_buckets
from objects.services.access_logs import DeliveredLogs, deliver_access_log, find_logged_buckets
from objects.services.archive import Restored, carry_out_restores
from objects.services.garbage import Collected
from objects.services.garbage import collect_garbage as collect_batch
from objects.services.lifecycle import Applied, apply_rules, forget_runs
from objects.services.replication import Replicated, replicate_bucket, waiting_buckets
from objects.services.rewrap import rewrap_data_keys as rewrap_batch
from objects.services.tiering import carry_out_tierings
from workers.alone import alone

Report = Callable[[str], None]

logger = logging.getLogger("objstore.workers")


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done for the audit log."""

    sealed_rows: int
    made_partitions: int
    dropped_partitions: int


# To order many faults takes seconds, so an order is followed for a minute.
REPAIR_BATCH_SIZE = 20_000
REPAIR_ORDER_SECONDS = 60.0
SCRUB_BATCH_BYTES_MAX = 128 * MEBIBYTE  # the rows of a batch are locked while it is read
SCRUB_BATCH_CHUNKS_MAX = 512


def collect_garbage(
    *,
    grace_seconds: float | None = None,
    stale_upload_seconds: float | None = None,
    orphan_grace_seconds: float | None = None,
    seconds_max: float = float("inf"),
    report: Report = lambda _: None,
) -> Collected:
    """Collect until nothing is left to collect. What is None comes from the settings."""
    if grace_seconds is None:
        grace_seconds = settings.OBJSTORE_GC_GRACE_SECONDS
    if stale_upload_seconds is None:
        stale_upload_seconds = settings.OBJSTORE_STALE_UPLOAD_DAYS * settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    if orphan_grace_seconds is None:
        orphan_grace_seconds = settings.OBJSTORE_ORPHAN_GRACE_SECONDS
    total = Collected()
    until = time.monotonic() + seconds_max
    while time.monotonic() < until:
        batch = collect_batch(
            grace_seconds=grace_seconds,
            stale_upload_seconds=stale_upload_seconds,
            orphan_grace_seconds=orphan_grace_seconds,
            may_unlink=is_journaled,
        )
        if batch.is_nothing:
            break
        total = Collected(*(getattr(total, one.name) + getattr(batch, one.name) for one in fields(Collected)))
        report(
            f"{total.expired_versions} expired versions, {total.stale_uploads} stale uploads, "
            f"{total.deleted_chunks} unreferenced chunks, {total.unlinked_chunks} chunks unlinked, "
            f"{total.compacted_chunks} small chunks moved, {total.deleted_segments} segments deleted"
        )
    return total


def apply_lifecycle(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> Applied:
    """Carry out the rules of all buckets that are due. A bucket in which they fail is tried again, and keeps no other waiting."""
    applied = Applied()
    until = time.monotonic() + seconds_max
    now, day_seconds = datetime.now(UTC), settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    for bucket in find_due_buckets(now=now, day_seconds=day_seconds):
        try:
            apply_rules(bucket, applied, now=now, day_seconds=day_seconds, may_go_on=lambda: time.monotonic() < until)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("the lifecycle rules of bucket %s could not be carried out", bucket.name)
        report(
            f"{applied.expired_objects} objects, {applied.expired_versions} noncurrent versions and "
            f"{applied.expired_markers} delete markers expired, {applied.aborted_uploads} uploads aborted, "
            f"{applied.transitioned_versions} versions moved to another storage class"
        )
    forget_runs()
    return applied


def archive_unread(*, seconds_max: float = float("inf")) -> int:
    """Archive what intelligent tiering has due; return how many versions were."""
    until = time.monotonic() + seconds_max
    return carry_out_tierings(
        now=datetime.now(UTC),
        day_seconds=settings.OBJSTORE_LIFECYCLE_DAY_SECONDS,
        may_go_on=lambda: time.monotonic() < until,
    )


def restore_archived(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> Restored:
    """Open the restores that were asked for, and close those whose days are over, until none is left."""
    total = Restored()
    until = time.monotonic() + seconds_max
    day_seconds = settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    while time.monotonic() < until:
        batch = carry_out_restores(now=datetime.now(UTC), day_seconds=day_seconds)
        if batch == Restored():
            break
        total = Restored(total.opened + batch.opened, total.closed + batch.closed)
        report(f"{total.opened} archived versions restored, {total.closed} restores over")
    return total


def deliver_events(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> Delivered:
    """Deliver what waits for targets that may be tried; one process at a time works for a target."""
    total = Delivered()
    until = time.monotonic() + seconds_max
    for target_id in waiting_targets():
        with alone(f"deliver events {target_id}") as is_ours:
            if not is_ours:
                continue
            done = deliver_to_target(target_id, may_go_on=lambda: time.monotonic() < until)
        total = Delivered(*(getattr(total, one.name) + getattr(done, one.name) for one in fields(Delivered)))
        report(f"{total.sent} events delivered, {total.failed} failed, {total.given_up} given up")
    return total


def replicate(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> Replicated:
    """Carry out what waits to be replicated; one process at a time works for a bucket."""
    total = Replicated()
    until = time.monotonic() + seconds_max
    for bucket_id in waiting_buckets():
        with alone(f"replicate {bucket_id}") as is_ours:
            if not is_ours:
                continue
            done = replicate_bucket(bucket_id, may_go_on=lambda: time.monotonic() < until)
        total = Replicated(total.done + done.done, total.failed + done.failed)
        report(f"{total.done} replicated, {total.failed} failed")
    return total


def probe_nodes() -> list[NodeProbe]:
    """Look at all nodes once, and at what a clock that was ahead has put off."""
    chunk_services.bring_back_future_times()
    return chunk_services.probe_nodes()


def queue_lost_nodes() -> LostNodes:
    """Queue for repair what lies on nodes that are down, or have not answered for the grace period."""
    return chunk_services.queue_lost_nodes(grace_seconds=settings.OBJSTORE_NODE_GRACE_SECONDS)


def repair_faults(
    *, batch_size: int = REPAIR_BATCH_SIZE, seconds_max: float = float("inf"), report: Report = lambda _: None
) -> RepairReport:
    """Repair recorded faults, those of the most endangered chunks first, until none is due."""
    total = RepairReport()
    until = time.monotonic() + seconds_max
    while time.monotonic() < until:
        batch = chunk_services.repair_faults(
            limit=batch_size,
            seconds_max=REPAIR_ORDER_SECONDS,
            unreachable_grace_seconds=settings.OBJSTORE_NODE_GRACE_SECONDS,
        )
        if batch == RepairReport():
            break
        total = RepairReport(*(getattr(total, one.name) + getattr(batch, one.name) for one in fields(RepairReport)))
        report(f"{total.rebuilt} fragments rebuilt, {total.found_well} found well, {total.postponed} postponed")
    return total


def scrub(
    *,
    mib_per_second: float | None = None,
    verified_before: datetime | None = None,
    seconds_max: float = float("inf"),
    report: Report = lambda _: None,
) -> ScrubReport:
    """Verify what was not verified since a time, the oldest first, at a limited rate (0: none), until none is left."""
    if mib_per_second is None:
        mib_per_second = settings.OBJSTORE_SCRUB_MIB_PER_SECOND
    if verified_before is None:
        verified_before = datetime.now(UTC) - timedelta(seconds=settings.OBJSTORE_SCRUB_INTERVAL_SECONDS)
    throttle = Throttle(mib_per_second * MEBIBYTE)
    batch_bytes = int(mib_per_second * MEBIBYTE) or SCRUB_BATCH_BYTES_MAX
    started_at = said_at = time.monotonic()
    total, chunks_max = ScrubReport(), 16
    while time.monotonic() - started_at < seconds_max:
        batch = chunk_services.scrub_chunks(
            verified_before=verified_before, bytes_max=min(batch_bytes, SCRUB_BATCH_BYTES_MAX), chunks_max=chunks_max
        )
        total.add(batch)
        if not batch.chunks:
            break
        # As many rows as are likely to be read, since each one claimed is written to.
        chunks_max = max(1, min(SCRUB_BATCH_CHUNKS_MAX, batch_bytes * batch.chunks // max(1, batch.size_bytes)))
        throttle.spend(batch.size_bytes)
        if time.monotonic() - said_at >= 1:
            said_at = time.monotonic()
            report(_scrub_progress(total, said_at - started_at))
    report(_scrub_progress(total, time.monotonic() - started_at))
    return total


def _scrub_progress(total: ScrubReport, seconds: float) -> str:
    rate = total.size_bytes / MEBIBYTE / max(seconds, 1e-9)
    return (
        f"{total.chunks} chunks, {total.size_bytes / MEBIBYTE:,.0f} MiB of fragments verified, {rate:,.0f} MiB/s, "
        f"{total.faults.total()} faults found"
    )


def keep_audit_log(*, report: Report = lambda _: None) -> Kept:
    """Make the partitions of the days ahead, seal what is settled, and drop the days whose time is over."""
    today = datetime.now(UTC).date()
    made = make_partitions(today=today)
    sealed = seal_rows(up_to_id=settled_id())
    dropped = []
    if settings.OBJSTORE_AUDIT_RETENTION_DAYS:
        dropped = drop_partitions(before=today - timedelta(days=settings.OBJSTORE_AUDIT_RETENTION_DAYS))
    report(f"{sealed.rows} audit rows sealed, {len(made)} partitions made, {len(dropped)} dropped")
    return Kept(sealed.rows, len(made), len(dropped))


def deliver_access_logs(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> DeliveredLogs:
    """Deliver the access logs of all buckets that want them, as far as their rows are settled."""
    total = DeliveredLogs()
    until = time.monotonic() + seconds_max
    for bucket_id, name in find_logged_buckets():
        while time.monotonic() < until:
            batch = deliver_access_log(bucket_id=bucket_id, name=name)
            total = DeliveredLogs(total.objects + batch.objects, total.rows + batch.rows)
            if not batch.rows:
                break
    report(f"{total.rows} lines delivered in {total.objects} log objects")
    return total


def rewrap_data_keys(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> int:
    """Wrap data keys anew after the rotation of a key, until none is left."""
    total = 0
    until = time.monotonic() + seconds_max
    while time.monotonic() < until and (done := rewrap_batch()):
        total += done
        report(f"{total} data keys wrapped anew")
    return total


def sweep_orphans(*, grace_seconds: float | None = None, report: Report = lambda _: None) -> SweepReport:
    """Delete fragments that no chunk names and that are older than the grace period."""
    if grace_seconds is None:
        grace_seconds = settings.OBJSTORE_ORPHAN_GRACE_SECONDS
    swept = chunk_services.sweep_orphans(grace_seconds=grace_seconds, now=datetime.now(UTC), may_delete=is_journaled)
    report(
        f"{swept.seen} fragments seen, {swept.deleted} orphans deleted ({swept.deleted_bytes} bytes), "
        f"{swept.unreachable_nodes} nodes out of reach"
    )
    return swept
