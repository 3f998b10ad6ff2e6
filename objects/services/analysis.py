"""Analyse how the objects of a bucket are kept and read, a day at a time, and export what was found.

The day's figures are rows; the export is all of them so far, written anew each day. What was read comes from the audit log.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import connection, transaction

from buckets.analytics import Analysis
from objects.analysis import AGE_GROUPS, AnalysisFigures, render_export
from objects.listing import successor
from objects.models import AnalysisDay
from objects.services.deposit import deposit_object, find_destination
from objects.services.inventory import SERVICE
from objects.services.reports import ConfiguredReport

# Plan: the index objects_listed over the prefix, the primary key of each version; the audit log's partitions of two days,
# once, hashed by key.
_ANALYSE = """
WITH told AS (
    SELECT a.key, sum(a.bytes_out) FILTER (WHERE a.operation = 'GetObject') AS retrieved,
           count(*) FILTER (WHERE a.operation = 'GetObject') AS gets,
           sum(a.bytes_in) FILTER (WHERE a.operation IN ('PutObject', 'UploadPart', 'PostObject')) AS uploaded
      FROM audit_auditevent a
     WHERE a.at >= %(day)s AND a.at < %(day)s + make_interval(secs => %(day_seconds)s)
       AND a.bucket = %(bucket)s AND a.status < 300 AND a.key IS NOT NULL
     GROUP BY a.key),
kept AS (
    SELECT o.key, v.storage_class, v.size_bytes,
           greatest(0, floor(extract(epoch FROM %(now)s - v.became_current_at) / %(day_seconds)s))::int AS age
      FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
     WHERE o.bucket_id = %(bucket_id)s AND o.is_listed AND o.key >= %(prefix)s
       AND (%(end)s::text IS NULL OR o.key < %(end)s::text) AND v.tags @> %(tags)s::jsonb)
INSERT INTO objects_analysisday AS d
       (bucket_id, name, day, storage_class, age_group, object_count, size_bytes, uploaded_bytes, retrieved_bytes,
        get_requests)
SELECT %(bucket_id)s, %(name)s, %(date)s, k.storage_class, (%(groups)s::text[])[width_bucket(k.age, %(starts)s::int[])],
       count(*), sum(k.size_bytes), coalesce(sum(t.uploaded), 0), coalesce(sum(t.retrieved), 0), coalesce(sum(t.gets), 0)
  FROM kept k LEFT JOIN told t ON t.key = k.key
 GROUP BY 4, 5
ON CONFLICT (bucket_id, name, day, storage_class, age_group) DO UPDATE SET
       object_count = excluded.object_count, size_bytes = excluded.size_bytes,
       uploaded_bytes = excluded.uploaded_bytes, retrieved_bytes = excluded.retrieved_bytes,
       get_requests = excluded.get_requests
"""

_FORGET = """
DELETE FROM objects_analysisday d
 WHERE NOT EXISTS (SELECT FROM buckets_bucketconfiguration c
                    WHERE c.bucket_id = d.bucket_id AND c.kind = 'analytics' AND c.name = d.name)
"""


def analyse_bucket(report: ConfiguredReport, analysis: Analysis, *, now: datetime, day_seconds: int) -> int:
    """Find the figures of the day that has passed and export all; return how many rows were exported.

    Cost: a walk over the prefix, and the audit log of a day. Raises DepositRefused, and as `put_object`.
    """
    begun = datetime.fromtimestamp(now.timestamp() - day_seconds, now.tzinfo)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _ANALYSE,
            {
                "bucket_id": report.bucket_id,
                "bucket": report.bucket_name,
                "name": report.name,
                "day": begun,
                "date": begun.date(),
                "day_seconds": day_seconds,
                "now": now,
                "prefix": analysis.filter.prefix,
                "end": successor(analysis.filter.prefix),
                "tags": json.dumps(dict(analysis.filter.tags)),
                "groups": [name for _, name in AGE_GROUPS],
                "starts": [start for start, _ in AGE_GROUPS],
            },
        )
    if analysis.destination is None:
        return 0
    rows = [
        AnalysisFigures(*row)
        for row in AnalysisDay.objects.filter(bucket_id=report.bucket_id, name=report.name)
        .order_by("day", "storage_class", "age_group")
        .values_list(
            "day",
            "storage_class",
            "age_group",
            "object_count",
            "size_bytes",
            "uploaded_bytes",
            "retrieved_bytes",
            "get_requests",
        )
    ]
    key = "/".join(filter(None, (analysis.destination_prefix, report.bucket_name, analysis.id, "analysis.csv")))
    destination = find_destination(
        analysis.destination,
        key,
        service=SERVICE,
        source_bucket=report.bucket_name,
        source_owner_id=report.owner_id,
        owner_id=analysis.destination_owner_id,
    )
    deposit_object(destination, key, [render_export(analysis.id, analysis.filter, rows)], content_type="text/csv")
    return len(rows)


def forget_analyses() -> None:
    """Forget the figures of configurations that are gone."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
