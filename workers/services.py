"""Writes of the schedule on which the duties run."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

# Rules fall due once a day; days of trials may be shorter than the pause.
LIFECYCLE_EVERY = timedelta(seconds=min(300, max(1, settings.OBJSTORE_LIFECYCLE_DAY_SECONDS // 5)))

DEFAULT_SCHEDULE = {
    "replicate": ("workers.replicate", timedelta(seconds=2)),
    "deliver events": ("workers.deliver_events", timedelta(seconds=2)),
    "probe nodes": ("workers.probe_nodes", timedelta(seconds=10)),
    "repair faults": ("workers.repair_faults", timedelta(seconds=30)),
    "apply lifecycle": ("workers.apply_lifecycle", LIFECYCLE_EVERY),
    "deliver reports": ("workers.deliver_reports", LIFECYCLE_EVERY),
    "roll up metrics": ("workers.roll_up_metrics", timedelta(minutes=1)),
    "archive unread": ("workers.archive_unread", LIFECYCLE_EVERY * 12),
    "restore archived": ("workers.restore_archived", min(timedelta(seconds=30), LIFECYCLE_EVERY)),
    "collect garbage": ("workers.collect_garbage", timedelta(minutes=1)),
    "relocate": ("workers.relocate", timedelta(seconds=30)),
    "scrub": ("workers.scrub", timedelta(seconds=30)),
    "deliver access logs": ("workers.deliver_access_logs", timedelta(minutes=1)),
    "keep audit log": ("workers.keep_audit_log", timedelta(seconds=15)),
    "rewrap data keys": ("workers.rewrap_data_keys", timedelta(minutes=5)),
    "sweep orphans": ("workers.sweep_orphans", timedelta(hours=6)),
}


def ensure_schedule() -> None:
    """Put the duties on beat's schedule where they are not yet; what was edited in the console stays as it is."""
    for name, (task, every) in DEFAULT_SCHEDULE.items():
        if not PeriodicTask.objects.filter(name=name).exists():
            interval, _ = IntervalSchedule.objects.get_or_create(
                every=int(every.total_seconds()), period=IntervalSchedule.SECONDS
            )
            PeriodicTask.objects.create(name=name, task=task, interval=interval, expire_seconds=interval.every)
