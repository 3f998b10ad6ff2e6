"""The Celery tasks: wake-up calls of a line, each bounded in time so that the next one finds the worker free."""

from __future__ import annotations

import logging

from celery import shared_task

from chunks.services import RepairReport
from journal.selectors import journal_status
from workers import duties, moving, reporting
from workers.alone import alone
from workers.moving import RELOCATION

logger = logging.getLogger("objstore.workers")

TASK_SECONDS_MAX = 300


@shared_task(name="workers.apply_lifecycle")
def apply_lifecycle() -> None:
    """Carry out the lifecycle rules of buckets."""
    applied = duties.apply_lifecycle(seconds_max=TASK_SECONDS_MAX)
    if not applied.is_nothing:
        logger.info("applied lifecycle rules: %s", applied)


@shared_task(name="workers.archive_unread")
def archive_unread() -> None:
    """Archive what intelligent tiering has due; one process at a time."""
    with alone("archive unread") as is_ours:
        count = duties.archive_unread(seconds_max=TASK_SECONDS_MAX) if is_ours else 0
    if count:
        logger.info("archived %d versions that were not read", count)


@shared_task(name="workers.restore_archived")
def restore_archived() -> None:
    """Open and close the restores of archived versions."""
    restored = duties.restore_archived(seconds_max=TASK_SECONDS_MAX)
    if restored.opened or restored.closed:
        logger.info("restored %s", restored)


@shared_task(name="workers.collect_garbage")
def collect_garbage() -> None:
    """Collect what nothing refers to any more."""
    complaint = journal_status().complaint
    if complaint:
        logger.warning("the metadata is not backed up as it should be: %s", complaint)
    collected = duties.collect_garbage(seconds_max=TASK_SECONDS_MAX)
    if not collected.is_nothing:
        logger.info("collected %s", collected)


@shared_task(name="workers.deliver_reports")
def deliver_reports() -> None:
    """Write the inventories and analyses that are due, and measure storage."""
    with alone("deliver reports") as is_ours:
        count = reporting.deliver_reports(seconds_max=TASK_SECONDS_MAX) if is_ours else 0
    if count:
        logger.info("delivered %d reports", count)


@shared_task(name="workers.roll_up_metrics")
def roll_up_metrics() -> None:
    """Count the requests of buckets with metrics configurations."""
    reporting.roll_up_metrics()


@shared_task(name="workers.replicate")
def replicate() -> None:
    """Carry versions to the buckets that they are replicated to."""
    done = duties.replicate(seconds_max=TASK_SECONDS_MAX)
    if done.done or done.failed:
        logger.info("replicated %d versions and changes, %d failed", done.done, done.failed)


@shared_task(name="workers.deliver_events")
def deliver_events() -> None:
    """Tell targets what happened."""
    delivered = duties.deliver_events(seconds_max=TASK_SECONDS_MAX)
    if delivered.sent or delivered.failed:
        logger.info("delivered %d events, %d failed", delivered.sent, delivered.failed)


@shared_task(name="workers.probe_nodes")
def probe_nodes() -> None:
    """Look at the nodes and write down how they fare."""
    for probe in duties.probe_nodes():
        if probe.error:
            logger.warning("node %d does not answer: %s", probe.node_id, probe.error)


@shared_task(name="workers.repair_faults")
def repair_faults() -> None:
    """Repair fragments that are lost with their nodes, missing, corrupt or misplaced."""
    lost = duties.queue_lost_nodes()
    if lost.queued:
        logger.warning("lost: %s; %d fragments on them are queued for repair", ", ".join(lost.names), lost.queued)
    repaired = duties.repair_faults(seconds_max=TASK_SECONDS_MAX)
    if repaired != RepairReport():
        logger.info("repaired %s", repaired)


@shared_task(name="workers.relocate")
def relocate() -> None:
    """Empty draining nodes, and go on with a rebalancing that was begun."""
    with alone(RELOCATION) as is_ours:
        if is_ours:
            moved = moving.relocate(seconds_max=TASK_SECONDS_MAX)
            if moved.fragments or moved.failed:
                logger.info(
                    "moved %d fragments, %d bytes; %d stay for now", moved.fragments, moved.size_bytes, moved.failed
                )


@shared_task(name="workers.scrub")
def scrub() -> None:
    """Verify fragments, without end: a later message finds the duty taken, and one takes it up when this one ends."""
    with alone("scrub") as is_ours:
        if is_ours:
            found = duties.scrub(seconds_max=TASK_SECONDS_MAX)
            if found.faults:
                logger.warning("the scrub found %s", dict(found.faults))


@shared_task(name="workers.keep_audit_log")
def keep_audit_log() -> None:
    """Seal audit rows, make and drop the log's partitions."""
    with alone("keep audit log") as is_ours:
        if is_ours:
            duties.keep_audit_log()


@shared_task(name="workers.deliver_access_logs")
def deliver_access_logs() -> None:
    """Deliver server access logs."""
    with alone("deliver access logs") as is_ours:
        if is_ours:
            delivered = duties.deliver_access_logs(seconds_max=TASK_SECONDS_MAX)
            if delivered.rows:
                logger.info("delivered %d lines of access logs in %d objects", delivered.rows, delivered.objects)


@shared_task(name="workers.rewrap_data_keys")
def rewrap_data_keys() -> None:
    """Wrap data keys anew after the rotation of a key."""
    count = duties.rewrap_data_keys(seconds_max=TASK_SECONDS_MAX)
    if count:
        logger.info("wrapped %d data keys anew", count)


@shared_task(name="workers.sweep_orphans")
def sweep_orphans() -> None:
    """Delete fragments that crashed writes left behind."""
    swept = duties.sweep_orphans()
    if swept.deleted:
        logger.info("swept %s", swept)
