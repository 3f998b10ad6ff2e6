"""What transitions of lifecycle rules have due: which versions are to move, and to which storage class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from buckets.lifecycle import Rule, age_cutoff
from buckets.lifecycle_transitions import Transition
from buckets.storage_classes import size_bytes_min, sources_of
from objects.listing import successor
from objects.selectors.lifecycle import SIZE_BYTES_MAX, TAKES_KEYS
from objects.storage_classes import known_storage_classes

_FITS = """v.storage_class = ANY(%(sources)s) AND v.tags @> %(tags)s::jsonb AND v.size_bytes > %(size_greater_than)s
     AND v.size_bytes < %(size_less_than)s"""

# Plan: the index objects_listed from the last key on, the primary key of each version.
_CURRENT = f"""
SELECT o.key, v.id
  FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
 WHERE {TAKES_KEYS} AND o.is_listed AND v.became_current_at <= %(cutoff)s AND {_FITS}
 ORDER BY o.key, v.id LIMIT %(limit)s
"""

# Plan: the unique index on (bucket, key) from the last key on; of each key, a range of the index versions_of_object.
_NONCURRENT = f"""
SELECT o.key, v.id
  FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
 WHERE {TAKES_KEYS} AND v.deleted_at IS NULL AND NOT v.is_delete_marker AND v.id <> o.current_version_id
   AND v.superseded_at <= %(cutoff)s AND {_FITS}
   AND (%(newer)s = 0 OR %(newer)s <= (
       SELECT count(*) FROM objects_objectversion n
        WHERE n.object_id = o.id AND n.deleted_at IS NULL AND n.id > v.id AND n.id <> o.current_version_id))
 ORDER BY o.key, v.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class DueTransition:
    """What is to move, and where to: a statement that selects `key, id` in order, up to a `limit`, and its arguments.

    The arguments `after_key`, `after_row` and `limit` are the reader's.
    """

    statement: str
    storage_class: str
    arguments: dict[str, Any]


def due_transitions(
    rule: Rule, *, bucket_id: int, minimum_size: str, now: datetime, day_seconds: int
) -> Iterator[DueTransition]:
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
            yield DueTransition(statement, transition.storage_class, arguments)


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
    return {"size_greater_than": smallest, "size_less_than": SIZE_BYTES_MAX if largest is None else largest}
