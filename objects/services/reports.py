"""Which reports of buckets are due: inventories and analyses, once for each of their configurations and period.

A report is due once after it was asked for and then when a new day (of lifecycle rules) has begun, or seven for a weekly
one. `ReportRun` remembers the day that it was last delivered for; killed before that, it is made again from the start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from buckets.lifecycle import day_start
from objects.models import ReportRun

DAYS_OF_WEEK = 7

# Plan: a scan of the configurations of one kind, which are few beside objects.
_CONFIGURED = """
SELECT b.id, b.name, b.owner_id, c.name, c.document, r.day_started_at, r.configured_at = c.updated_at
  FROM buckets_bucketconfiguration c
  JOIN buckets_bucket b ON b.id = c.bucket_id
  LEFT JOIN objects_reportrun r ON r.bucket_id = b.id AND r.kind = c.kind AND r.name = c.name
 WHERE c.kind = %s
 ORDER BY r.day_started_at NULLS FIRST, b.id, c.name
"""

_FORGET = """
DELETE FROM objects_reportrun r
 WHERE NOT EXISTS (SELECT FROM buckets_bucketconfiguration c
                    WHERE c.bucket_id = r.bucket_id AND c.kind = r.kind AND c.name = r.name)
"""


@dataclass(frozen=True, slots=True)
class ConfiguredReport:
    """A configuration, and for which day its report was last delivered."""

    bucket_id: int
    bucket_name: str
    owner_id: str
    name: str
    document: dict[str, Any]
    delivered_day: datetime | None

    def is_due(self, now: datetime, *, day_seconds: int, period_days: int = 1) -> bool:
        """Say whether its period has passed since."""
        if self.delivered_day is None:
            return True
        return day_start(now, day_seconds) >= self.delivered_day + timedelta(seconds=period_days * day_seconds)


def configured_reports(kind: str) -> list[ConfiguredReport]:
    """Return all configurations of a kind, those that wait the longest first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_CONFIGURED, [kind])
        return [
            ConfiguredReport(bucket_id, bucket_name, owner_id, name, json.loads(document), day if is_same else None)
            for bucket_id, bucket_name, owner_id, name, document, day, is_same in cursor.fetchall()
        ]


def remember_report(report: ConfiguredReport, kind: str, *, now: datetime, day_seconds: int, error: str = "") -> None:
    """Say that a report was delivered for this day, or why it could not be; then the next day tries again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO objects_reportrun (bucket_id, kind, name, day_started_at, configured_at, last_error)
            SELECT c.bucket_id, c.kind, c.name, %s, c.updated_at, %s
              FROM buckets_bucketconfiguration c WHERE c.bucket_id = %s AND c.kind = %s AND c.name = %s
            ON CONFLICT (bucket_id, kind, name) DO UPDATE SET day_started_at = excluded.day_started_at,
                   configured_at = excluded.configured_at, last_error = excluded.last_error
            """,
            [day_start(now, day_seconds), error, report.bucket_id, kind, report.name],
        )


def forget_reports() -> None:
    """Forget what was delivered for configurations that are no more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)


def last_error(report: ConfiguredReport, kind: str) -> str:
    """Return why the last report could not be delivered; empty where it was."""
    runs = ReportRun.objects.filter(bucket_id=report.bucket_id, kind=kind, name=report.name)
    return runs.values_list("last_error", flat=True).first() or ""
