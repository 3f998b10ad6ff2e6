"""Reads of buckets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from buckets.models import Bucket, BucketConfiguration, Versioning

# Plan: one probe of the unique index on name.
_FIND_BUCKET = """
SELECT id, name, owner_id, region, versioning, history_seconds, created_at, is_lock_enabled
  FROM buckets_bucket WHERE name = %s
"""

# Plan: a range of the index buckets_by_owner.
_LIST_BUCKETS = """
SELECT id, name, owner_id, region, versioning, history_seconds, created_at, is_lock_enabled FROM buckets_bucket
 WHERE owner_id = %s AND name COLLATE "C" > %s AND name LIKE %s AND (%s = '' OR region = %s)
 ORDER BY name COLLATE "C" LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class BucketRecord:
    """What a request needs to know of a bucket."""

    id: int
    name: str
    owner_id: str
    region: str
    versioning: str
    history_seconds: int
    created_at: datetime
    is_lock_enabled: bool

    @property
    def was_ever_versioned(self) -> bool:
        """Whether version ids mean anything here: versioning is enabled or suspended."""
        return self.versioning != Versioning.UNVERSIONED.value


def find_bucket(name: str) -> BucketRecord | None:
    """Return a bucket by name, or None. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_BUCKET, [name])
        row = cursor.fetchone()
    return BucketRecord(*row) if row else None


def list_buckets(*, owner_id: str, prefix: str, after: str, region: str, limit: int) -> list[BucketRecord]:
    """Return up to `limit` of an owner's buckets whose names follow `after`, in order. One statement."""
    pattern = prefix.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    with connection.cursor() as cursor:
        cursor.execute(_LIST_BUCKETS, [owner_id, after, pattern, region, region, limit])
        return [BucketRecord(*row) for row in cursor.fetchall()]


def find_default_retention(bucket_id: int) -> dict[str, Any] | None:
    """Return the retention that a bucket's new versions get, or None. One statement."""
    return Bucket.objects.filter(pk=bucket_id).values_list("default_retention", flat=True).first()


def find_configuration_by_name(bucket_name: str, kind: str) -> Any | None:
    """Return the document of a kind of the bucket of a name, or None. One statement."""
    documents = BucketConfiguration.objects.filter(bucket__name=bucket_name, kind=kind)
    return documents.values_list("document", flat=True).first()


def find_configuration(bucket_id: int, kind: str) -> Any | None:
    """Return a bucket's document of a kind, or None. One statement."""
    return BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).values_list("document", flat=True).first()
