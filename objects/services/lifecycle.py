"""Carry out lifecycle rules: expire objects, noncurrent versions and lone delete markers, abort unfinished uploads.

Then versions move to other storage classes (`lifecycle_transitions`). What is due changes at midnight alone (`buckets.lifecycle`), so a bucket is walked once a day and whenever its rules
change; `LifecycleRun` remembers up to where. Everything goes through the deleting function, so that an expiration makes
delete markers where a client's delete would, respects object lock, and leaves history. A batch is one statement: keys are
claimed with SKIP LOCKED (the rivals are writers of the key and other workers), and what was skipped keeps the bucket
from being marked as done. Killed at any point, the next run finds what is left by the same predicates.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit.draft import AuditDraft
from audit.services.rows import audited_parameters_of_many, audited_statement_of_many
from buckets.access_log import EXPIRE_OPERATION, LIFECYCLE_SOURCE, MARKER_OPERATION
from buckets.lifecycle import KIND, Rule, age_cutoff, day_start
from events.cause import EXPIRED, STORE, cause_document
from objects.listing import successor
from objects.models import LifecycleRun, MultipartUpload
from objects.selectors.lifecycle import DueBucket, Expiration, expirations
from objects.services.lifecycle_transitions import carry_out_transitions
from objects.services.multipart import drop_parts

BATCH_SIZE = 200

_DELETE = """
WITH due AS ({candidates} ORDER BY o.key, v.id LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED)
SELECT d.key, d.id, x.outcome, d.version_id AS named, x.version_id, x.is_delete_marker
  FROM due d CROSS JOIN LATERAL objects_delete_object(
       %(bucket_id)s, d.key, d.version_id,
       jsonb_build_object('version_id', replace(gen_random_uuid()::text, '-', ''), 'owner_id', %(owner_id)s::text,
                          'is_delete_marker', true, 'cause', %(cause)s::jsonb),
       NULL, NULL, NULL, false) x
"""

# What a row of the deletion tells the audit log.
_TOLD = {
    "key": "changed.key",
    "version_id": "changed.version_id",
    "operation": f"CASE WHEN changed.is_delete_marker AND changed.named IS NULL "
    f"THEN '{MARKER_OPERATION}' ELSE '{EXPIRE_OPERATION}' END",
}

_IS_LEFT = "SELECT EXISTS ({candidates})"

# Plan: the index uploads_in_progress. The rivals are completing, aborting and other workers.
_CLAIM_UPLOADS = """
SELECT id FROM objects_multipartupload
 WHERE bucket_id = %(bucket_id)s AND completed_at IS NULL AND created_at <= %(cutoff)s
   AND key >= %(prefix)s AND (%(end)s::text IS NULL OR key < %(end)s::text)
 ORDER BY key, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
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
    is_done, rules = True, bucket.rules
    for rule in rules:
        for due in expirations(rule, bucket_id=bucket.id, now=now, day_seconds=day_seconds):
            count, is_whole = _expire(due, bucket, rule, may_go_on=may_go_on, batch_size=batch_size)
            setattr(applied, due.kind, getattr(applied, due.kind) + count)
            is_done = is_done and is_whole
        if rule.abort_days is not None:
            cutoff = age_cutoff(now, rule.abort_days, day_seconds)
            applied.aborted_uploads += _abort_uploads(bucket, rule, cutoff, may_go_on, batch_size)
    for rule in rules:  # whatever expires has gone
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


def _expire(
    due: Expiration, bucket: DueBucket, rule: Rule, *, may_go_on: Callable[[], bool], batch_size: int
) -> tuple[int, bool]:
    """Delete all candidates but those that somebody else holds; return how many, and whether none is left.

    Each has a row in the audit log, in the same transaction.
    """
    statement = audited_statement_of_many(_DELETE.format(candidates=due.candidates), "changed.outcome = ''", _TOLD)
    count = 0
    cause = json.dumps(cause_document(EXPIRED))
    arguments = {**due.arguments, "owner_id": bucket.owner_id, "cause": cause, "limit": batch_size}
    after: dict[str, Any] = {"after_key": "", "after_row": 0}
    while may_go_on():
        with transaction.atomic(), connection.cursor() as cursor:
            told = audited_parameters_of_many(_draft(bucket, rule))
            cursor.execute(statement, {**arguments, **after, **told})
            rows = cursor.fetchall()
        count += sum(not outcome for _, _, outcome, *_ in rows)
        if len(rows) < batch_size:
            break
        after = {"after_key": rows[-1][0], "after_row": rows[-1][1]}
    else:
        return count, False
    with connection.cursor() as cursor:
        cursor.execute(_IS_LEFT.format(candidates=due.candidates), {**due.arguments, "after_key": "", "after_row": 0})
        (is_left,) = cursor.fetchone()
    return count, not is_left


def _draft(bucket: DueBucket, rule: Rule) -> AuditDraft:
    """Say who does it, to what, and why."""
    return AuditDraft(
        request_id=secrets.token_hex(8).upper(),
        source=LIFECYCLE_SOURCE,
        principal=STORE,
        bucket=bucket.name,
        owner_id=bucket.owner_id,
        error_reason=f"by the lifecycle rule {rule.id!r}",
        status=204,
    )


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
