"""The duties that report about buckets: inventories and analyses, which go into buckets, and metrics.

Not for: what stands in a report; that is a service of `objects`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from django.conf import settings

from buckets import analytics
from buckets import inventory as inventories
from chunks.errors import ChunkError
from objects.services.analysis import analyse_bucket, forget_analyses
from objects.services.deposit import DepositRefused
from objects.services.inventory import deliver_inventory
from objects.services.metrics import forget_metrics, measure_storage, roll_up_requests
from objects.services.reports import (
    DAYS_OF_WEEK,
    ConfiguredReport,
    configured_reports,
    forget_reports,
    remember_report,
)
from s3protocol import errors

logger = logging.getLogger("objstore.workers")

Report = Callable[[str], None]


def deliver_reports(*, seconds_max: float = float("inf"), report: Report = lambda _: None) -> int:
    """Deliver all reports that are due; return how many. One that can't be delivered is tried again the next day."""
    until = time.monotonic() + seconds_max
    count = 0
    for kind, configured, deliver, now in _due():
        if time.monotonic() >= until:
            break
        count += _deliver(configured, kind, deliver, now, report)
    forget_reports()
    forget_analyses()
    return count


def roll_up_metrics(*, report: Report = lambda _: None) -> int:
    """Count the requests of buckets with metrics configurations; return how many figures changed."""
    changed = roll_up_requests()
    forget_metrics()
    report(f"{changed} figures changed")
    return changed


def _due() -> Iterator[tuple[str, ConfiguredReport, Callable[[], int], datetime]]:
    """Yield what is to be done, with its kind and the moment that it is done for."""
    day_seconds = settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    for kind in (inventories.KIND, analytics.ANALYTICS, analytics.METRICS):
        for configured in configured_reports(kind):
            now, period_days = datetime.now(UTC), 1
            deliver: Callable[[], int]
            if kind == inventories.KIND:
                inventory = inventories.read_inventory(configured.document)
                if inventory is None:
                    continue
                period_days = DAYS_OF_WEEK if inventory.is_weekly else 1
                deliver = partial(deliver_inventory, configured, inventory, now=now, day_seconds=day_seconds)
            elif kind == analytics.ANALYTICS:
                wanted = analytics.read_analysis(configured.document)
                deliver = partial(analyse_bucket, configured, wanted, now=now, day_seconds=day_seconds)
            else:
                deliver = partial(measure_storage, configured)
            if configured.is_due(now, day_seconds=day_seconds, period_days=period_days):
                yield kind, configured, deliver, now


def _deliver(
    configured: ConfiguredReport, kind: str, deliver: Callable[[], int], now: datetime, report: Report
) -> bool:
    error = ""
    try:
        rows = deliver()
        report(f"{kind} {configured.name} of {configured.bucket_name}: {rows} rows")
    except (DepositRefused, errors.S3Error, ChunkError) as failure:
        error = str(failure) or type(failure).__name__
        logger.warning("%s %s of %s can't be delivered: %s", kind, configured.name, configured.bucket_name, error)
        report(f"{kind} {configured.name} of {configured.bucket_name}: {error}")
    remember_report(configured, kind, now=now, day_seconds=settings.OBJSTORE_LIFECYCLE_DAY_SECONDS, error=error)
    return not error
