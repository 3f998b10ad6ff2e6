"""Roll the audit log up into figures for metrics configurations: requests by the hour, storage by the day.

Requests cost nothing for it: their rows are in the audit log anyhow. Each run takes what has been sealed since the last
one, in one transaction with the mark of how far it came, so nothing is counted twice. What the audit log leaves out
(`OBJSTORE_AUDIT_READS=off`) is not counted.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import connection, transaction

from audit.models import AuditProgress
from buckets.analytics import METRICS
from buckets.identified import ObjectFilter, read_filter
from objects.listing import successor
from objects.models import BucketMetric, MetricsProgress
from objects.services.reports import ConfiguredReport, configured_reports

# Plan: the rows of the run by the BRIN index audit_by_id, of the last two days' partitions; for filters with tags, for
# each row a probe of the unique index on (bucket, key) and the primary key of the version.
_ROLL_UP = """
INSERT INTO objects_bucketmetric AS m
       (bucket_id, name, hour, all_requests, get_requests, put_requests, delete_requests, head_requests, post_requests,
        list_requests, bytes_downloaded, bytes_uploaded, errors_4xx, errors_5xx, latency_us)
SELECT %(bucket_id)s, %(name)s, date_trunc('hour', a.at), count(*),
       count(*) FILTER (WHERE a.method = 'GET' AND a.operation NOT LIKE 'List%%'),
       count(*) FILTER (WHERE a.method = 'PUT'), count(*) FILTER (WHERE a.method = 'DELETE'),
       count(*) FILTER (WHERE a.method = 'HEAD'), count(*) FILTER (WHERE a.method = 'POST'),
       count(*) FILTER (WHERE a.operation LIKE 'List%%'),
       sum(a.bytes_out), sum(a.bytes_in),
       count(*) FILTER (WHERE a.status BETWEEN 400 AND 499), count(*) FILTER (WHERE a.status >= 500), sum(a.duration_us)
  FROM audit_auditevent a
 WHERE a.id > %(after)s AND a.id <= %(up_to)s AND a.at > now() - interval '2 days'
   AND a.source IN ('s3', 'website') AND a.bucket = %(bucket)s
   AND (%(is_whole)s OR (a.key IS NOT NULL AND starts_with(a.key, %(prefix)s)))
   AND (%(tags)s = '{}' OR EXISTS (
       SELECT FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
        WHERE o.bucket_id = %(bucket_id)s AND o.key = a.key AND v.tags @> %(tags)s::jsonb))
 GROUP BY date_trunc('hour', a.at)
ON CONFLICT (bucket_id, name, hour) DO UPDATE SET
       all_requests = m.all_requests + excluded.all_requests, get_requests = m.get_requests + excluded.get_requests,
       put_requests = m.put_requests + excluded.put_requests,
       delete_requests = m.delete_requests + excluded.delete_requests,
       head_requests = m.head_requests + excluded.head_requests,
       post_requests = m.post_requests + excluded.post_requests,
       list_requests = m.list_requests + excluded.list_requests,
       bytes_downloaded = m.bytes_downloaded + excluded.bytes_downloaded,
       bytes_uploaded = m.bytes_uploaded + excluded.bytes_uploaded,
       errors_4xx = m.errors_4xx + excluded.errors_4xx, errors_5xx = m.errors_5xx + excluded.errors_5xx,
       latency_us = m.latency_us + excluded.latency_us
"""

# Plan: the index objects_listed over the prefix, the primary key of each version. Once a day for a configuration.
_MEASURE = """
INSERT INTO objects_bucketmetric AS m (bucket_id, name, hour, object_count, size_bytes)
SELECT %(bucket_id)s, %(name)s, date_trunc('hour', now()), count(*), coalesce(sum(v.size_bytes), 0)
  FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
 WHERE o.bucket_id = %(bucket_id)s AND o.is_listed AND o.key >= %(prefix)s
   AND (%(end)s::text IS NULL OR o.key < %(end)s::text) AND v.tags @> %(tags)s::jsonb
ON CONFLICT (bucket_id, name, hour) DO UPDATE SET
       object_count = excluded.object_count, size_bytes = excluded.size_bytes
"""

_FORGET = """
DELETE FROM objects_bucketmetric m
 WHERE m.hour < now() - make_interval(days => 455)
    OR NOT EXISTS (SELECT FROM buckets_bucketconfiguration c
                    WHERE c.bucket_id = m.bucket_id AND c.kind = %s AND c.name = m.name)
"""


def roll_up_requests() -> int:
    """Count the requests that were sealed since the last run; return how many rows of figures changed."""
    configured = configured_reports(METRICS)
    changed = 0
    with transaction.atomic(), connection.cursor() as cursor:
        MetricsProgress.objects.get_or_create(pk=1)
        progress = MetricsProgress.objects.select_for_update().get(pk=1)
        up_to = AuditProgress.objects.values_list("sealed_id", flat=True).get(pk=1)
        if up_to <= progress.rolled_id:
            return 0
        for one in configured:
            cursor.execute(_ROLL_UP, {**_arguments(one), "after": progress.rolled_id, "up_to": up_to})
            changed += cursor.rowcount
        MetricsProgress.objects.filter(pk=1).update(rolled_id=up_to)
    return changed


def measure_storage(configured: ConfiguredReport) -> int:
    """Count what a configuration's filter fits, and its bytes. Cost: a walk over the prefix."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, _arguments(configured))
    return 1


def forget_metrics() -> None:
    """Forget figures of configurations that are gone, and those that are older than S3's metrics get (455 days)."""
    if BucketMetric.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [METRICS])


def _arguments(configured: ConfiguredReport) -> dict[str, Any]:
    wanted = read_filter(configured.document)
    return {
        "bucket_id": configured.bucket_id,
        "bucket": configured.bucket_name,
        "name": configured.name,
        "prefix": wanted.prefix,
        "end": successor(wanted.prefix),
        "tags": json.dumps(dict(wanted.tags)),
        "is_whole": wanted == ObjectFilter(),
    }
