"""What lifecycle rules have due: whose rules, and which objects, versions and delete markers expire.

Statements of candidates end where their reader adds an order, a limit, and locks if it is to act on them
(`objects.services.lifecycle`) or none if it is to tell (`objects.selectors.foreseen`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from buckets.lifecycle import DEFAULT_MINIMUM_SIZE, KIND, MINIMUM_SIZE, Rule, age_cutoff, day_start, enabled_rules
from objects.listing import successor

SIZE_BYTES_MAX = 1 << 62
TAKES_KEYS = """o.bucket_id = %(bucket_id)s AND o.key >= %(prefix)s AND (%(end)s::text IS NULL OR o.key < %(end)s::text)
     AND (o.key, v.id) > (%(after_key)s, %(after_row)s)"""
_FITS_FILTER = """v.tags @> %(tags)s::jsonb AND v.size_bytes > %(size_greater_than)s
     AND v.size_bytes < %(size_less_than)s"""

# Plan: the index objects_listed from the last key on, the primary key of each version. NULL deletes the current one.
_CURRENT = f"""
  SELECT o.key, v.id, NULL::text AS version_id
    FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
   WHERE {TAKES_KEYS} AND o.is_listed AND v.became_current_at <= %(cutoff)s AND {_FITS_FILTER}
"""

# Plan: the unique index on (bucket, key) from the last key on; of each key, a range of the index versions_of_object.
_NONCURRENT = f"""
  SELECT o.key, v.id, v.version_id
    FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
   WHERE {TAKES_KEYS} AND v.deleted_at IS NULL AND v.id <> o.current_version_id
     AND v.superseded_at <= %(cutoff)s AND {_FITS_FILTER} AND NOT objects_is_locked(v, false)
     AND (%(newer)s = 0 OR %(newer)s <= (
         SELECT count(*) FROM objects_objectversion n
          WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id > v.id AND n.id <> o.current_version_id))
"""

# Plan: likewise. A delete marker with no version left to hide.
_LONE_MARKERS = f"""
  SELECT o.key, v.id, v.version_id
    FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
   WHERE {TAKES_KEYS} AND NOT o.is_listed AND v.is_delete_marker AND v.became_current_at <= %(cutoff)s
     AND NOT EXISTS (SELECT FROM objects_objectversion n
                      WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id <> v.id)
"""

# Plan: a scan of the configurations of one kind, which are few beside objects.
_DUE_BUCKETS = """
SELECT b.id, b.name, b.owner_id, c.document, c.updated_at
  FROM buckets_bucketconfiguration c
  JOIN buckets_bucket b ON b.id = c.bucket_id
  LEFT JOIN objects_lifecyclerun r ON r.bucket_id = b.id
 WHERE c.kind = %s AND (r.id IS NULL OR r.day_started_at < %s OR r.configured_at <> c.updated_at)
 ORDER BY r.day_started_at NULLS FIRST, b.id
"""


class Expiring(StrEnum):
    """What expires, by what lifecycle calls it."""

    OBJECTS = "expired_objects"
    VERSIONS = "expired_versions"
    MARKERS = "expired_markers"


@dataclass(frozen=True, slots=True)
class DueBucket:
    """A bucket whose rules have not been carried out today, and its document as it is stored."""

    id: int
    name: str
    owner_id: str
    document: dict[str, Any] = field(hash=False)
    configured_at: datetime

    @property
    def rules(self) -> list[Rule]:
        """The rules that are enabled."""
        return enabled_rules(self.document)

    @property
    def transition_minimum_size(self) -> str:
        """The TransitionDefaultMinimumObjectSize."""
        return str(self.document.get(MINIMUM_SIZE, DEFAULT_MINIMUM_SIZE))


def find_due_buckets(*, now: datetime, day_seconds: int) -> list[DueBucket]:
    """Return the buckets whose rules are to be carried out, those that wait the longest first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_BUCKETS, [KIND, day_start(now, day_seconds)])
        rows = cursor.fetchall()
    return [
        DueBucket(bucket_id, name, owner_id, json.loads(text), configured_at)
        for bucket_id, name, owner_id, text, configured_at in rows
    ]


@dataclass(frozen=True, slots=True)
class Expiration:
    """What a rule expires of one kind: a statement that selects `key, id, version_id`, and its arguments.

    The arguments `after_key` and `after_row` are the reader's.
    """

    kind: Expiring
    candidates: str
    arguments: dict[str, Any]


def expirations(rule: Rule, *, bucket_id: int, now: datetime, day_seconds: int) -> Iterator[Expiration]:
    """Yield what a rule has due at a moment."""
    arguments: dict[str, Any] = {
        "bucket_id": bucket_id,
        "prefix": rule.filter.prefix,
        "end": successor(rule.filter.prefix),
        "tags": json.dumps(dict(rule.filter.tags)),
        "size_greater_than": -1 if rule.filter.size_greater_than is None else rule.filter.size_greater_than,
        "size_less_than": SIZE_BYTES_MAX if rule.filter.size_less_than is None else rule.filter.size_less_than,
        "newer": rule.newer_noncurrent_versions,
    }
    cutoff = None
    if rule.expire_days is not None:
        cutoff = age_cutoff(now, rule.expire_days, day_seconds)
    elif rule.expire_at is not None and rule.expire_at <= now:
        cutoff = now
    if cutoff is not None:
        yield Expiration(Expiring.OBJECTS, _CURRENT, {**arguments, "cutoff": cutoff})
    if rule.noncurrent_days is not None:
        noncurrent_cutoff = age_cutoff(now, rule.noncurrent_days, day_seconds)
        yield Expiration(Expiring.VERSIONS, _NONCURRENT, {**arguments, "cutoff": noncurrent_cutoff})
    marker_cutoff = now if rule.expires_lone_markers else cutoff
    if marker_cutoff is not None and rule.filter.is_of_keys_alone:
        yield Expiration(Expiring.MARKERS, _LONE_MARKERS, {**arguments, "cutoff": marker_cutoff})
