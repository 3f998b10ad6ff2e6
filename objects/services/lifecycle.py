"""Carry out lifecycle rules: expire objects, noncurrent versions and lone delete markers, abort unfinished uploads.

Then versions move to other storage classes (`lifecycle_transitions`). What is due changes at midnight alone (`buckets.lifecycle`), so a bucket is walked once a day and whenever its rules
change; `LifecycleRun` remembers up to where. Everything goes through the deleting function, so that an expiration makes
delete markers where a client's delete would, respects object lock, and leaves history. A batch is one statement: keys are
claimed with SKIP LOCKED (the rivals are writers of the key and other workers), and what was skipped keeps the bucket
from being marked as done. Killed at any point, the next run finds what is left by the same predicates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from buckets.lifecycle import DEFAULT_MINIMUM_SIZE, KIND, MINIMUM_SIZE, Rule, age_cutoff, day_start, enabled_rules
from events.cause import EXPIRED, cause_document
from objects.listing import successor
from objects.models import LifecycleRun, MultipartUpload
from objects.services.lifecycle_transitions import carry_out_transitions
from objects.services.multipart import drop_parts

BATCH_SIZE = 200

_SIZE_MAX = 1 << 62
_TAKES_KEYS = """o.bucket_id = %(bucket_id)s AND o.key >= %(prefix)s AND (%(end)s::text IS NULL OR o.key < %(end)s::text)
     AND (o.key, v.id) > (%(after_key)s, %(after_row)s)"""
_FITS_FILTER = """v.tags @> %(tags)s::jsonb AND v.size_bytes > %(size_greater_than)s
     AND v.size_bytes < %(size_less_than)s"""

# Plan: the index objects_listed from the last key on, the primary key of each version. NULL deletes the current one.
_CURRENT = f"""
  SELECT o.key, v.id, NULL::text AS version_id
    FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
   WHERE {_TAKES_KEYS} AND o.is_listed AND v.became_current_at <= %(cutoff)s AND {_FITS_FILTER}
"""  # noqa: S608  constants

# Plan: the unique index on (bucket, key) from the last key on; of each key, a range of the index versions_of_object.
_NONCURRENT = f"""
  SELECT o.key, v.id, v.version_id
    FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
   WHERE {_TAKES_KEYS} AND v.deleted_at IS NULL AND v.id <> o.current_version_id
     AND v.superseded_at <= %(cutoff)s AND {_FITS_FILTER} AND NOT objects_is_locked(v, false)
     AND (%(newer)s = 0 OR %(newer)s <= (
         SELECT count(*) FROM objects_objectversion n
          WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id > v.id AND n.id <> o.current_version_id))
"""  # noqa: S608  constants

# Plan: likewise. A delete marker with no version left to hide.
_LONE_MARKERS = f"""
  SELECT o.key, v.id, v.version_id
    FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
   WHERE {_TAKES_KEYS} AND NOT o.is_listed AND v.is_delete_marker AND v.became_current_at <= %(cutoff)s
     AND NOT EXISTS (SELECT FROM objects_objectversion n
                      WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id <> v.id)
"""  # noqa: S608  constants

_DELETE = """
WITH due AS ({candidates} ORDER BY o.key, v.id LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED)
SELECT d.key, d.id, x.outcome
  FROM due d CROSS JOIN LATERAL objects_delete_object(
       %(bucket_id)s, d.key, d.version_id,
       jsonb_build_object('version_id', replace(gen_random_uuid()::text, '-', ''), 'owner_id', %(owner_id)s::text,
                          'is_delete_marker', true, 'cause', %(cause)s::jsonb),
       NULL, NULL, NULL, false) x
"""

_IS_LEFT = "SELECT EXISTS ({candidates})"

# Plan: the index uploads_in_progress. The rivals are completing, aborting and other workers.
_CLAIM_UPLOADS = """
SELECT id FROM objects_multipartupload
 WHERE bucket_id = %(bucket_id)s AND completed_at IS NULL AND created_at <= %(cutoff)s
   AND key >= %(prefix)s AND (%(end)s::text IS NULL OR key < %(end)s::text)
 ORDER BY key, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""

# Plan: a scan of the configurations of one kind, which are few beside objects.
_DUE_BUCKETS = """
SELECT b.id, b.owner_id, c.document, c.updated_at
  FROM buckets_bucketconfiguration c
  JOIN buckets_bucket b ON b.id = c.bucket_id
  LEFT JOIN objects_lifecyclerun r ON r.bucket_id = b.id
 WHERE c.kind = %s AND (r.id IS NULL OR r.day_started_at < %s OR r.configured_at <> c.updated_at)
 ORDER BY r.day_started_at NULLS FIRST, b.id
"""


_FORGET_RUNS = """
DELETE FROM objects_lifecyclerun r
 WHERE NOT EXISTS (SELECT FROM buckets_bucketconfiguration c WHERE c.bucket_id = r.bucket_id AND c.kind = %s)
"""


@dataclass(slots=True)
class Applied:
    """What a run of the rules did."""

    expired_objects: int = 0
    expired_versions: int = 0
    expired_markers: int = 0
    aborted_uploads: int = 0
    transitioned_versions: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was due."""
        return self == Applied()


@dataclass(frozen=True, slots=True)
class DueBucket:
    """A bucket whose rules have not been carried out today."""

    id: int
    owner_id: str
    rules: list[Rule] = field(hash=False)
    configured_at: datetime
    transition_minimum_size: str = DEFAULT_MINIMUM_SIZE


def find_due_buckets(*, now: datetime, day_seconds: int) -> list[DueBucket]:
    """Return the buckets whose rules are to be carried out, those that wait the longest first. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_BUCKETS, [KIND, day_start(now, day_seconds)])
        return [_due_bucket(*row) for row in cursor.fetchall()]


def _due_bucket(bucket_id: int, owner_id: str, text: str, configured_at: datetime) -> DueBucket:
    document = json.loads(text)
    minimum_size = document.get(MINIMUM_SIZE, DEFAULT_MINIMUM_SIZE)
    return DueBucket(bucket_id, owner_id, enabled_rules(document), configured_at, minimum_size)


def forget_runs() -> None:
    """Forget up to where rules were carried out that are no more."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_RUNS, [KIND])


def apply_rules(
    bucket: DueBucket,
    applied: Applied,
    *,
    now: datetime,
    day_seconds: int,
    may_go_on: Callable[[], bool],
    batch_size: int = BATCH_SIZE,
) -> bool:
    """Carry out a bucket's rules, adding to `applied`; say whether all is done. One statement for each batch."""
    is_done = True
    for rule in bucket.rules:
        for candidates, counter, arguments in _expirations(bucket, rule, now=now, day_seconds=day_seconds):
            count, is_whole = _expire(candidates, arguments, may_go_on=may_go_on, batch_size=batch_size)
            setattr(applied, counter, getattr(applied, counter) + count)
            is_done = is_done and is_whole
        if rule.abort_days is not None:
            cutoff = age_cutoff(now, rule.abort_days, day_seconds)
            applied.aborted_uploads += _abort_uploads(bucket, rule, cutoff, may_go_on, batch_size)
    for rule in bucket.rules:  # whatever expires has gone
        count, is_whole = carry_out_transitions(
            rule,
            bucket_id=bucket.id,
            minimum_size=bucket.transition_minimum_size,
            now=now,
            day_seconds=day_seconds,
            may_go_on=may_go_on,
        )
        applied.transitioned_versions += count
        is_done = is_done and is_whole
    if is_done and may_go_on():
        LifecycleRun.objects.update_or_create(
            bucket_id=bucket.id,
            defaults={"day_started_at": day_start(now, day_seconds), "configured_at": bucket.configured_at},
        )
        return True
    return False


def _expirations(
    bucket: DueBucket, rule: Rule, *, now: datetime, day_seconds: int
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what a rule expires: the query of candidates, the counter of `Applied`, the query's arguments."""
    arguments: dict[str, Any] = {
        "bucket_id": bucket.id,
        "owner_id": bucket.owner_id,
        "cause": json.dumps(cause_document(EXPIRED)),
        "prefix": rule.filter.prefix,
        "end": successor(rule.filter.prefix),
        "tags": json.dumps(dict(rule.filter.tags)),
        "size_greater_than": -1 if rule.filter.size_greater_than is None else rule.filter.size_greater_than,
        "size_less_than": _SIZE_MAX if rule.filter.size_less_than is None else rule.filter.size_less_than,
        "newer": rule.newer_noncurrent_versions,
    }
    cutoff = None
    if rule.expire_days is not None:
        cutoff = age_cutoff(now, rule.expire_days, day_seconds)
    elif rule.expire_at is not None and rule.expire_at <= now:
        cutoff = now
    if cutoff is not None:
        yield _CURRENT, "expired_objects", {**arguments, "cutoff": cutoff}
    if rule.noncurrent_days is not None:
        noncurrent_cutoff = age_cutoff(now, rule.noncurrent_days, day_seconds)
        yield _NONCURRENT, "expired_versions", {**arguments, "cutoff": noncurrent_cutoff}
    marker_cutoff = now if rule.expires_lone_markers else cutoff
    if marker_cutoff is not None and rule.filter.is_of_keys_alone:
        yield _LONE_MARKERS, "expired_markers", {**arguments, "cutoff": marker_cutoff}


def _expire(
    candidates: str, arguments: dict[str, Any], *, may_go_on: Callable[[], bool], batch_size: int
) -> tuple[int, bool]:
    """Delete all candidates but those that somebody else holds; return how many, and whether none is left."""
    count = 0
    after: dict[str, Any] = {"after_key": "", "after_row": 0}
    while may_go_on():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DELETE.format(candidates=candidates), {**arguments, **after, "limit": batch_size})
            rows = cursor.fetchall()
        count += sum(not outcome for _, _, outcome in rows)
        if len(rows) < batch_size:
            break
        after = {"after_key": rows[-1][0], "after_row": rows[-1][1]}
    else:
        return count, False
    with connection.cursor() as cursor:
        cursor.execute(_IS_LEFT.format(candidates=candidates), {**arguments, "after_key": "", "after_row": 0})
        (is_left,) = cursor.fetchone()
    return count, not is_left


def _abort_uploads(
    bucket: DueBucket, rule: Rule, cutoff: datetime, may_go_on: Callable[[], bool], batch_size: int
) -> int:
    """Abort unfinished uploads that began by the cutoff; one that is being completed is finished, not left."""
    count = 0
    arguments: dict[str, Any] = {
        "bucket_id": bucket.id,
        "prefix": rule.filter.prefix,
        "end": successor(rule.filter.prefix),
        "cutoff": cutoff,
        "limit": batch_size,
    }
    while may_go_on():
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_CLAIM_UPLOADS, arguments)
                rows = [row[0] for row in cursor.fetchall()]
            for upload_row in rows:
                drop_parts(upload_row)
            MultipartUpload.objects.filter(pk__in=rows).delete()
        count += len(rows)
        if len(rows) < batch_size:
            break
    return count
