"""The days of the audit log: partitions made ahead, and dropped whole when their time is over.

What came while a day had no partition is in the default one, and moves when the day gets its own.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta

from django.db import OperationalError, connection, transaction

from audit.models import AuditSeal

logger = logging.getLogger("objstore.audit")

DAYS_AHEAD = 3
LOCK_TIMEOUT = "2s"  # whoever waits for the table's lock keeps writers waiting behind

_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
 WHERE i.inhparent = 'audit_auditevent'::regclass AND c.relname ~ '^audit_auditevent_\\d{8}$' ORDER BY c.relname
"""
_PREFIX = "audit_auditevent_"


def partition_name(day: date) -> str:
    """Return the name of a day's partition."""
    return f"{_PREFIX}{day:%Y%m%d}"


def list_days() -> list[date]:
    """Return the days that have a partition, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS)
        return [datetime.strptime(name.removeprefix(_PREFIX), "%Y%m%d").date() for (name,) in cursor.fetchall()]  # noqa: DTZ007


def make_partitions(*, today: date, days_ahead: int = DAYS_AHEAD) -> list[date]:
    """Make the partitions of today and the days ahead, and of every day that the default partition holds rows of."""
    wanted = {today + timedelta(days=ahead) for ahead in range(days_ahead + 1)} | set(_stray_days())
    made = []
    for day in sorted(wanted - set(list_days())):
        try:
            _make_partition(day)
        except OperationalError as error:
            logger.warning("the audit partition of %s has to wait: %s", day, error)
            continue
        made.append(day)
    return made


def _stray_days() -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT (at AT TIME ZONE 'UTC')::date FROM audit_auditevent_default")
        return [day for (day,) in cursor.fetchall()]


def _make_partition(day: date) -> None:
    """Make a table beside the log, attach it, and move into it what strayed.

    What strayed goes in through the log itself: logical decoding, from which the metadata is journaled, sees nothing of
    rows that were in a table before it became a partition.
    """
    name = partition_name(day)
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit partitions'))")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} (LIKE audit_auditevent INCLUDING DEFAULTS)")
        cursor.execute(f"ALTER TABLE {name} REPLICA IDENTITY FULL")  # see migration 0004
        cursor.execute("CREATE TEMPORARY TABLE strayed (LIKE audit_auditevent)")
        cursor.execute(
            "WITH taken AS (DELETE FROM audit_auditevent_default WHERE at >= %s AND at < %s RETURNING *) "
            "INSERT INTO strayed SELECT * FROM taken",
            [begin, end],
        )
        cursor.execute(
            f"ALTER TABLE audit_auditevent ATTACH PARTITION {name} "
            f"FOR VALUES FROM ('{begin.isoformat()}') TO ('{end.isoformat()}')"
        )
        cursor.execute("INSERT INTO audit_auditevent SELECT * FROM strayed")
        cursor.execute("DROP TABLE strayed")


def drop_partitions(*, before: date) -> list[date]:
    """Drop the days before a day, rows and all; of their chains the heads stay, marked as dropped."""
    dropped = []
    for day in list_days():
        if day >= before:
            break
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                cursor.execute(f"DROP TABLE {partition_name(day)}")
                _keep_head(day)
        except OperationalError as error:
            logger.warning("the audit partition of %s stays for now: %s", day, error)
            continue
        logger.info("the audit rows of %s are dropped: their time is over", day)
        dropped.append(day)
    return dropped


def _keep_head(day: date) -> None:
    head = AuditSeal.objects.filter(day=day).order_by("-sequence").first()
    if head is not None:
        AuditSeal.objects.filter(day=day).exclude(pk=head.pk).delete()
        AuditSeal.objects.filter(pk=head.pk).update(is_dropped=True)
