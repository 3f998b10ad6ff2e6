"""Reads of limits."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from limits.models import Limit

# Plan: the whole table, which has a row for each subject with a limit.
_RATES = """
SELECT l.account_id, l.bucket_id, k.access_key_id, l.requests_per_second, l.bytes_per_second
  FROM limits_limit l LEFT JOIN accesscontrol_accesskey k ON k.id = l.access_key_id
 WHERE l.requests_per_second IS NOT NULL OR l.bytes_per_second IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a subject may ask for in a second; None is no limit."""

    requests: int | None
    size_bytes: int | None


def load_rates() -> dict[str, Rate]:
    """Return all rates, by `account:…`, `bucket:…` or `key:…`. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_RATES)
        rows = cursor.fetchall()
    return {
        f"account:{account}" if account else f"bucket:{bucket}" if bucket else f"key:{key}": Rate(requests, size_bytes)
        for account, bucket, key, requests, size_bytes in rows
    }


def find_bucket_limits(*, bucket_id: int, owner_id: str) -> list[Limit]:
    """Return the limits that hold for a bucket: its own, and its account's."""
    return list(Limit.objects.filter(bucket_id=bucket_id) | Limit.objects.filter(account_id=owner_id))
