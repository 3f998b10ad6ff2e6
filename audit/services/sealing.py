"""Seal the rows: each day's rows form a chain of runs by id, each link holding a digest over the one before.

Writers know nothing of it. Ids are drawn before their rows commit, so a run is sealed when its ids are settled: every
transaction that was there when the last of them was drawn has ended. What is in a chain can't be changed, removed, put
elsewhere or joined by another row without `verify` finding it; to find that the newest links are cut off, or that all
was made anew, takes a head that was kept elsewhere: the duty logs each.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from audit.draft import COLUMNS
from audit.models import AuditProgress, AuditSeal
from audit.services.partitions import list_days

logger = logging.getLogger("objstore.audit")

RUN_IDS_MAX = 5_000
GENESIS = "0" * 64

_COLUMNS = ", ".join(f"e.{name}" for name in COLUMNS if name != "at")
_AT = "(extract(epoch FROM e.at) * 1000000)::bigint"
# The columns of a row as one text that depends on no setting of the session. What is sealed in a form is verified in it.
_FORMS = {
    1: f"jsonb_build_array(e.id, {_AT}, {_COLUMNS})::text",
    2: f"ROW(e.id, {_AT}, {_COLUMNS})::text",  # in half the time
}
NEWEST_FORM = 2

# Plan: by the BRIN index on id, in each partition.
_RUN_DIGESTS = f"""
SELECT (e.at AT TIME ZONE 'UTC')::date, count(*),
       encode(sha256(convert_to(string_agg({_FORMS[NEWEST_FORM]}, E'\\n' ORDER BY e.id), 'UTF8')), 'hex')
  FROM audit_auditevent e WHERE e.id > %s AND e.id <= %s GROUP BY 1 ORDER BY 1
"""  # noqa: S608  constants

_RUN_OF_DAY = """
SELECT count(*), encode(sha256(convert_to(coalesce(string_agg({form}, E'\\n' ORDER BY e.id), ''), 'UTF8')), 'hex')
  FROM audit_auditevent e
 WHERE e.at >= %s::date::timestamp AT TIME ZONE 'UTC' AND e.at < (%s::date + 1)::timestamp AT TIME ZONE 'UTC'
   AND e.id > %s AND e.id <= %s
"""

# Whoever may not see the others' transactions sees their own role's, which are those of all processes here.
_ARE_ALL_YOUNGER = """
SELECT NOT EXISTS (
    SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
       AND xact_start <= %s
)
"""

# A sequence that nobody has drawn from says 1, which the first row is yet to get.
_LAST_DRAWN = """
SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END, clock_timestamp() FROM audit_auditevent_id_seq
"""

_DAYS_ROWS = """
SELECT count(*) FROM audit_auditevent e
 WHERE e.at >= %s::date::timestamp AT TIME ZONE 'UTC' AND e.at < (%s::date + 1)::timestamp AT TIME ZONE 'UTC'
"""
_DAYS_UNSEALED = f"{_DAYS_ROWS}   AND e.id <= %s"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a run of the duty sealed, and the newest head of each day that it touched."""

    rows: int
    heads: dict[date, str]


def settled_id() -> int:
    """Return an id up to which no row is still to come, as far as was noted; note how far the ids are now.

    The second call after a while finds what the first has noted settled.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        progress = AuditProgress.objects.select_for_update().get(pk=1)
        settled = progress.sealed_id
        if progress.pending_at is not None:
            cursor.execute(_ARE_ALL_YOUNGER, [progress.pending_at])
            if not cursor.fetchone()[0]:
                return settled
            settled = max(settled, progress.pending_id)
        cursor.execute(_LAST_DRAWN)
        progress.pending_id, progress.pending_at = cursor.fetchone()
        progress.save(update_fields=["pending_id", "pending_at"])
    return settled


def seal_rows(*, up_to_id: int) -> Sealed:
    """Put all rows up to a settled id into the chains of their days. Killed anywhere, it goes on where it was."""
    total, heads = 0, {}
    while True:
        with transaction.atomic():
            progress = AuditProgress.objects.select_for_update().get(pk=1)
            if progress.sealed_id >= up_to_id:
                break
            last_id = min(up_to_id, progress.sealed_id + RUN_IDS_MAX)
            for day, count, digest in _runs(progress.sealed_id, last_id):
                heads[day] = _append(day, last_id, count, digest)
                total += count
            AuditProgress.objects.filter(pk=1).update(sealed_id=last_id)
    for day, head in heads.items():
        logger.info("the head of the audit chain of %s is %s", day, head)
    return Sealed(total, heads)


def _runs(after_id: int, last_id: int) -> list[tuple[date, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_RUN_DIGESTS, [after_id, last_id])
        return list(cursor.fetchall())


def _append(day: date, last_id: int, count: int, rows_digest: str) -> str:
    """Add a link to a day's chain; it begins where the one before ended, so that no row fits between. Return the head."""
    before = AuditSeal.objects.filter(day=day).order_by("-sequence").first()
    seal = AuditSeal(
        day=day,
        sequence=0 if before is None else before.sequence + 1,
        after_id=0 if before is None else before.last_id,
        last_id=last_id,
        row_count=count,
        rows_digest=rows_digest,
        form=NEWEST_FORM,
    )
    seal.digest = link_digest(GENESIS if before is None else before.digest, seal)
    seal.save(force_insert=True)
    return seal.digest


def link_digest(previous: str, seal: AuditSeal) -> str:
    """Return the digest of a link, over the one before it."""
    text = "|".join(
        str(part)
        for part in (
            previous,
            seal.day,
            seal.sequence,
            seal.after_id,
            seal.last_id,
            seal.row_count,
            seal.rows_digest,
            *((seal.form,) if seal.form > 1 else ()),
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the verification of a day found: its head, how many rows are sealed and how many not yet, and what is wrong."""

    day: date
    head: str
    sealed_rows: int
    problems: tuple[str, ...]


def verify_days(*, first: date | None = None, last: date | None = None) -> Iterator[Verdict]:
    """Read all sealed rows of days and compare them with their chains. Cost: all rows of the days."""
    days = set(AuditSeal.objects.order_by().values_list("day", flat=True).distinct()) | set(list_days())
    for day in sorted(days):
        if (first is None or day >= first) and (last is None or day <= last):
            yield verify_day(day)


def verify_day(day: date) -> Verdict:
    """Compare a day's rows with its chain."""
    seals = list(AuditSeal.objects.filter(day=day).order_by("sequence"))
    if seals and seals[-1].is_dropped:
        return Verdict(day, seals[-1].digest, 0, _problems_of_dropped(day))
    problems, previous, after_id, total = [], GENESIS, 0, 0
    if forged := _count_up_to(day, after_id):
        problems.append(f"{forged} rows have ids that are never drawn")
    for place, seal in enumerate(seals):
        if seal.sequence != place or seal.after_id != after_id:
            problems.append(f"link {place} is missing: the chain goes on with link {seal.sequence}")
        if link_digest(previous, seal) != seal.digest:
            problems.append(f"link {seal.sequence} does not follow from the one before it")
        count, digest = _run_of_day(day, after_id, seal.last_id, seal.form)
        if count != seal.row_count:
            problems.append(f"link {seal.sequence} sealed {seal.row_count} rows, there are {count} now")
        elif digest != seal.rows_digest:
            problems.append(f"rows of link {seal.sequence} (ids {after_id + 1} to {seal.last_id}) were changed")
        previous, after_id, total = seal.digest, seal.last_id, total + seal.row_count
    stray = _count_up_to(day, AuditProgress.objects.get(pk=1).sealed_id) - _count_up_to(day, after_id)
    if stray:
        problems.append(f"{stray} rows came behind the chain, with ids that were sealed before")
    return Verdict(day, previous, total, tuple(problems))


def _problems_of_dropped(day: date) -> tuple[str, ...]:
    """Say what is wrong about a day whose rows are gone: whoever can delete them can mark it as dropped, too."""
    problems = []
    with connection.cursor() as cursor:
        cursor.execute(_DAYS_ROWS, [day, day])
        if count := cursor.fetchone()[0]:
            problems.append(f"{count} rows are there of a day that was dropped")
    kept_days = settings.OBJSTORE_AUDIT_RETENTION_DAYS
    if not kept_days or day >= datetime.now(UTC).date() - timedelta(days=kept_days):
        problems.append("the rows are gone, though they are to be kept for longer (OBJSTORE_AUDIT_RETENTION_DAYS)")
    return tuple(problems)


def _run_of_day(day: date, after_id: int, last_id: int, form: int) -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(_RUN_OF_DAY.format(form=_FORMS.get(form, _FORMS[NEWEST_FORM])), [day, day, after_id, last_id])
        row = cursor.fetchone()
    return int(row[0]), str(row[1])


def _count_up_to(day: date, last_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_DAYS_UNSEALED, [day, day, last_id])
        return int(cursor.fetchone()[0])
