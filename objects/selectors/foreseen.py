"""What lifecycle rules would do if they were carried out at a moment: the same statements, and nothing is done.

For whoever writes rules and wants to know before. Cost: bounded by KEYS_MAX keys for each thing that a rule does, and by
SECONDS_MAX, where hardly anything of a large bucket is due and all of it has to be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from buckets.lifecycle import DEFAULT_MINIMUM_SIZE, MINIMUM_SIZE, Rule, age_cutoff, enabled_rules
from objects.listing import successor
from objects.selectors.lifecycle import Expiring, expirations
from objects.selectors.lifecycle_transitions import due_transitions

KEYS_MAX = 1_000
SHOWN_MAX = 10
SECONDS_MAX = 3.0

# Plan: the index uploads_in_progress.
_UPLOADS = """
SELECT key, id FROM objects_multipartupload
 WHERE bucket_id = %(bucket_id)s AND completed_at IS NULL AND created_at <= %(cutoff)s
   AND key >= %(prefix)s AND (%(end)s::text IS NULL OR key < %(end)s::text)
 ORDER BY key, id LIMIT %(limit)s
"""

_EXPIRES = {
    Expiring.OBJECTS: "current objects expire",
    Expiring.VERSIONS: "noncurrent versions are deleted for good",
    Expiring.MARKERS: "delete markers with nothing behind them go",
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One thing that a rule does: to how many (KEYS_MAX stands for as many or more), and the first of their keys.

    `count` is None where it could not be told in SECONDS_MAX.
    """

    rule_id: str
    effect: str
    count: int | None
    keys: tuple[str, ...] = ()

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count == KEYS_MAX


def foresee(document: Mapping[str, Any], *, bucket_id: int, now: datetime, day_seconds: int) -> list[Foreseen]:
    """Return what the enabled rules of a checked document would do, but for what is nothing."""
    minimum_size = document.get(MINIMUM_SIZE, DEFAULT_MINIMUM_SIZE)
    found = []
    for rule in enabled_rules(document):
        for effect, statement, arguments in _statements(rule, bucket_id, minimum_size, now, day_seconds):
            foreseen = _look(rule.id, effect, statement, arguments)
            if foreseen.count != 0:
                found.append(foreseen)
    return found


def _statements(
    rule: Rule, bucket_id: int, minimum_size: str, now: datetime, day_seconds: int
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for due in expirations(rule, bucket_id=bucket_id, now=now, day_seconds=day_seconds):
        yield _EXPIRES[due.kind], f"{due.candidates} ORDER BY o.key, v.id LIMIT %(limit)s", due.arguments
    if rule.abort_days is not None:
        arguments = {
            "bucket_id": bucket_id,
            "prefix": rule.filter.prefix,
            "end": successor(rule.filter.prefix),
            "cutoff": age_cutoff(now, rule.abort_days, day_seconds),
        }
        yield "unfinished uploads are aborted", _UPLOADS, arguments
    moves = due_transitions(rule, bucket_id=bucket_id, minimum_size=minimum_size, now=now, day_seconds=day_seconds)
    for move in moves:
        yield f"versions move to {move.storage_class}", move.statement, move.arguments


def _look(rule_id: str, effect: str, statement: str, arguments: Mapping[str, Any]) -> Foreseen:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(SECONDS_MAX * 1000)}")
            cursor.execute(statement, {**arguments, "after_key": "", "after_row": 0, "limit": KEYS_MAX})
            keys = [row[0] for row in cursor.fetchall()]
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")  # for what follows in the caller's transaction
    except OperationalError:  # taken too long, or the database is away, which the page that asks will notice
        return Foreseen(rule_id, effect, None)
    return Foreseen(rule_id, effect, len(keys), tuple(keys[:SHOWN_MAX]))
