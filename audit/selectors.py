"""Reads of the audit log: the search, and the timeline of an object. Newest first, a page at a time.

A page costs what it returns wherever an index leads to its rows: by time, by key, by principal. Searches by something rare
(a request, an address, an access key) go by BRIN indexes, those by something common find it soon in order of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from audit.models import AuditEvent, AuditProgress

PAGE_SIZE_MAX = 1_000
RECENT = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to search for; None asks nothing. `prefix` is of the key, `since` and `until` bound the time."""

    since: datetime | None = None
    until: datetime | None = None
    request_id: str | None = None
    source: str | None = None
    operation: str | None = None
    action: str | None = None
    account_id: str | None = None
    principal: str | None = None
    access_key_id: str | None = None
    bucket: str | None = None
    key: str | None = None
    prefix: str | None = None
    version_id: str | None = None
    owner_id: str | None = None
    outcome: str | None = None
    source_ip: str | None = None
    status: int | None = None
    error_code: str | None = None
    is_refused: bool | None = None

    @property
    def is_rare(self) -> bool:
        """Whether no index in order of time leads to the rows: they may be few, and far apart."""
        if self.since is not None or self.principal is not None or (self.bucket is not None and self.key is not None):
            return False
        return any(getattr(self, name) is not None for name in _RARE)


_RARE = ("request_id", "access_key_id", "account_id", "bucket", "owner_id", "source_ip", "error_code", "operation")
_EXACT = (
    "request_id",
    "source",
    "operation",
    "action",
    "account_id",
    "principal",
    "access_key_id",
    "bucket",
    "key",
    "version_id",
    "owner_id",
    "outcome",
    "source_ip",
    "status",
    "error_code",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one goes on behind it."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"


def place_of(row: AuditEvent) -> Place:
    """Return the place of a row."""
    return Place(row.at, row.id)


def place_from(text: str) -> Place | None:
    """Read a place as `str` writes it; None for nothing. Raises ValueError."""
    if not text:
        return None
    at, _, row_id = text.partition("~")
    return Place(_read_time(at), _read_number(row_id))


def search(
    wanted: AuditFilter, *, limit: int, after: Place | None = None, visible_to: str | None = None
) -> list[AuditEvent]:
    """Return the newest rows that match, at most `limit`, those behind `after` if given.

    `visible_to` is the account that asks: it sees what its principals did, and what was done to its buckets. None sees
    everything, and is for operators alone.
    """
    if after is None and wanted.is_rare:
        recent = replace(wanted, since=datetime.now(UTC) - RECENT)
        rows = _search(recent, limit, None, visible_to)
        if len(rows) >= limit:
            return rows
        with transaction.atomic(), connection.cursor() as cursor:
            # The planner takes every value for a common one and would go through all rows in order of time.
            cursor.execute("SET LOCAL enable_indexscan = off")
            return _search(wanted, limit, None, visible_to)
    return _search(wanted, limit, after, visible_to)


def _search(wanted: AuditFilter, limit: int, after: Place | None, visible_to: str | None) -> list[AuditEvent]:
    found = _matching(wanted)
    if visible_to is not None:
        found = found.filter(Q(account_id=visible_to) | Q(owner_id=visible_to))
    if after is not None:
        found = found.extra(where=["(at, id) < (%s, %s)"], params=[after.at, after.id])
    return list(found.order_by("-at", "-id")[: min(limit, PAGE_SIZE_MAX)])


def _matching(wanted: AuditFilter) -> QuerySet[AuditEvent]:
    found = AuditEvent.objects.filter(
        **{name: value for name in _EXACT if (value := getattr(wanted, name)) is not None}
    )
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if wanted.prefix:
        found = found.filter(key__startswith=wanted.prefix)
    if wanted.is_refused is not None:
        found = found.filter(status=403) if wanted.is_refused else found.exclude(status=403)
    if wanted.bucket is not None and wanted.key is not None:
        found = found.extra(
            where=["hashtextextended(coalesce(bucket, '') || '/' || coalesce(key, ''), 0) = hashtextextended(%s, 0)"],
            params=[f"{wanted.bucket}/{wanted.key}"],
        )
    if wanted.principal is not None:
        found = found.extra(
            where=["hashtextextended(principal, 0) = hashtextextended(%s, 0)"], params=[wanted.principal]
        )
    return found


def find_request(request_id: str, *, visible_to: str | None = None) -> list[AuditEvent]:
    """Return the rows of a request, oldest first: one, or one for each thing that it changed."""
    if "\0" in request_id:
        return []
    rows = search(AuditFilter(request_id=request_id), limit=PAGE_SIZE_MAX, visible_to=visible_to)
    return sorted(rows, key=lambda row: row.id)


def find_row(row_id: int) -> AuditEvent | None:
    """Return a row by its id."""
    return AuditEvent.objects.filter(id=row_id).first()


def newest_id() -> int:
    """Return the id that was drawn last. One statement."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM audit_auditevent_id_seq")
        return int(cursor.fetchone()[0])


def settled_id() -> int:
    """Return an id up to which every row is there, and sealed."""
    return AuditProgress.objects.values_list("sealed_id", flat=True).get(pk=1)


def rows_of_bucket(bucket: str, *, sources: Sequence[str], after_id: int, last_id: int, limit: int) -> list[AuditEvent]:
    """Return a bucket's rows of some ids, in their order. Plan: by the BRIN index on id, in each partition."""
    found = AuditEvent.objects.filter(bucket=bucket, source__in=sources, id__gt=after_id, id__lte=last_id)
    return list(found.order_by("id")[:limit])


def timeline(
    *, bucket: str, key: str, limit: int, after: Place | None = None, visible_to: str | None = None
) -> list[AuditEvent]:
    """Return what happened to an object, newest first."""
    return search(AuditFilter(bucket=bucket, key=key), limit=limit, after=after, visible_to=visible_to)


def is_reason_visible(row: AuditEvent, visible_to: str | None) -> bool:
    """Say whether an account may know why a request was decided as it was.

    What the policies of a bucket say is its owner's business, not that of whom they refused.
    """
    return visible_to is None or row.owner_id in (None, visible_to)


def document(row: AuditEvent, *, visible_to: str | None = None) -> dict[str, Any]:
    """Return a row as the JSON API and the commands show it, as far as an account may know (None: all of it)."""
    names = [field.name for field in AuditEvent._meta.concrete_fields]  # noqa: SLF001  Django's way to ask
    shown = {name: getattr(row, name) for name in names if name != "pk"}
    shown["at"] = row.at.isoformat()
    if not is_reason_visible(row, visible_to):
        shown["reason"] = shown["trace"] = None
    return {name: value for name, value in shown.items() if value not in (None, "")}


def filter_from(values: Mapping[str, str]) -> AuditFilter:
    """Read a filter from texts, such as a query string's. Raises ValueError for a time, number or truth that is none."""
    read: dict[str, Any] = {}
    for one in fields(AuditFilter):
        text = values.get(one.name, "").strip() if one.name not in ("key", "prefix") else values.get(one.name, "")
        if not text:
            continue
        if "\0" in text:
            raise ValueError(f"{one.name} holds a NUL character")
        read[one.name] = _READERS.get(one.name, str)(text)
    return AuditFilter(**read)


def _read_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)  # a plus sign decodes to a space
    except ValueError:
        raise ValueError(f"{text!r} is no time, such as 2030-12-31T23:59:59Z") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _read_truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text.lower() == "true"


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(f"{text!r} is no number")
    return int(text)


_READERS: dict[str, Any] = {
    "since": _read_time,
    "until": _read_time,
    "status": _read_number,
    "is_refused": _read_truth,
}
