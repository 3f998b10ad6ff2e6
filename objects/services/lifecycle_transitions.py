"""Carry out the transitions of lifecycle rules: find the versions that are due, and move each to its class.

Each version moves in a transaction of its own (`objects.services.transition`); what has moved is no candidate any more, so
a run that was killed goes on where it ended. A version that can't be moved today, as a node is away or the nodes are full,
is tried again when the rules are next carried out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from buckets.lifecycle import Rule, age_cutoff
from buckets.lifecycle_transitions import Transition
from buckets.storage_classes import size_bytes_min, sources_of
from chunks.errors import ChunkError
from objects.listing import successor
from objects.services.transition import move_version_to_storage_class
from objects.storage_classes import known_storage_classes
from s3protocol import errors

logger = logging.getLogger("objstore.objects")

BATCH_SIZE = 200

_SIZE_MAX = 1 << 62
_TAKES_KEYS = """o.bucket_id = %(bucket_id)s AND o.key >= %(prefix)s AND (%(end)s::text IS NULL OR o.key < %(end)s::text)
     AND (o.key, v.id) > (%(after_key)s, %(after_row)s)"""
_FITS = """v.storage_class = ANY(%(sources)s) AND v.tags @> %(tags)s::jsonb AND v.size_bytes > %(size_greater_than)s
     AND v.size_bytes < %(size_less_than)s"""

# Plan: the index objects_listed from the last key on, the primary key of each version.
_CURRENT = f"""
SELECT o.key, v.id
  FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
 WHERE {_TAKES_KEYS} AND o.is_listed AND v.became_current_at <= %(cutoff)s AND {_FITS}
 ORDER BY o.key, v.id LIMIT %(limit)s
"""  # noqa: S608  constants

# Plan: the unique index on (bucket, key) from the last key on; of each key, a range of the index versions_of_object.
_NONCURRENT = f"""
SELECT o.key, v.id
  FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
 WHERE {_TAKES_KEYS} AND v.deleted_at IS NULL AND NOT v.is_delete_marker AND v.id <> o.current_version_id
   AND v.superseded_at <= %(cutoff)s AND {_FITS}
   AND (%(newer)s = 0 OR %(newer)s <= (
       SELECT count(*) FROM objects_objectversion n
        WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id > v.id AND n.id <> o.current_version_id))
 ORDER BY o.key, v.id LIMIT %(limit)s
"""  # noqa: S608  constants


@dataclass(frozen=True, slots=True)
class _Due:
    """What is to move, and where to."""

    statement: str
    storage_class: str
    arguments: dict[str, Any]


def carry_out_transitions(
    rule: Rule,
    *,
    bucket_id: int,
    minimum_size: str,
    now: datetime,
    day_seconds: int,
    may_go_on: Callable[[], bool],
) -> tuple[int, bool]:
    """Move all that a rule has due; return how many moved, and whether the end was reached.

    `minimum_size` is the bucket's TransitionDefaultMinimumObjectSize. One statement for each batch, and the cost of
    `move_version_to_storage_class` for each version.
    """
    moved = 0
    for due in _due(rule, bucket_id=bucket_id, minimum_size=minimum_size, now=now, day_seconds=day_seconds):
        for version_row in _candidates(due):
            if not may_go_on():
                return moved, False
            moved += _move(bucket_id, version_row, due.storage_class)
    return moved, True


def _due(rule: Rule, *, bucket_id: int, minimum_size: str, now: datetime, day_seconds: int) -> Iterator[_Due]:
    """Yield what a rule has due, the coldest class first, so that nothing moves twice."""
    for statement, transitions in ((_CURRENT, rule.transitions), (_NONCURRENT, rule.noncurrent_transitions)):
        for transition in transitions:
            cutoff = _cutoff(transition, now, day_seconds)
            if cutoff is None:
                continue
            sizes = _sizes(rule, transition, is_by_class=minimum_size == "varies_by_storage_class")
            arguments = {
                "bucket_id": bucket_id,
                "prefix": rule.filter.prefix,
                "end": successor(rule.filter.prefix),
                "tags": json.dumps(dict(rule.filter.tags)),
                "newer": transition.newer_noncurrent_versions,
                "sources": sources_of(transition.storage_class, known_storage_classes()),
                "cutoff": cutoff,
                **sizes,
            }
            yield _Due(statement, transition.storage_class, arguments)


def _cutoff(transition: Transition, now: datetime, day_seconds: int) -> datetime | None:
    if transition.at is not None:
        return now if transition.at <= now else None
    assert transition.days is not None
    return age_cutoff(now, transition.days, day_seconds)


def _sizes(rule: Rule, transition: Transition, *, is_by_class: bool) -> dict[str, int]:
    """Return the sizes, both bounds exclusive, of what a rule moves."""
    smallest = rule.filter.size_greater_than
    if smallest is None:
        smallest = -1
        if settings.OBJSTORE_TRANSITION_MINIMA == "s3" and not rule.filter.names_size:
            smallest = size_bytes_min(transition.storage_class, is_by_class=is_by_class) - 1
    largest = rule.filter.size_less_than
    return {"size_greater_than": smallest, "size_less_than": _SIZE_MAX if largest is None else largest}


def _candidates(due: _Due) -> Iterator[int]:
    """Yield the rows of the versions that are due, in the order of their keys."""
    after: dict[str, Any] = {"after_key": "", "after_row": 0}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(due.statement, {**due.arguments, **after, "limit": BATCH_SIZE})
            rows = cursor.fetchall()
        for key, version_row in rows:
            yield version_row
            after = {"after_key": key, "after_row": version_row}
        if len(rows) < BATCH_SIZE:
            return


def _move(bucket_id: int, version_row: int, storage_class: str) -> bool:
    try:
        return move_version_to_storage_class(bucket_id=bucket_id, version_row=version_row, storage_class=storage_class)
    except (ChunkError, errors.S3Error) as failure:
        logger.warning("version %d stays out of %s for now: %s", version_row, storage_class, failure)
        return False
