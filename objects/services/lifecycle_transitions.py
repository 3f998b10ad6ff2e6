"""Carry out the transitions of lifecycle rules: find the versions that are due, and move each to its class.

Each version moves in a transaction of its own (`objects.services.transition`); what has moved is no candidate any more, so
a run that was killed goes on where it ended. A version that can't be moved today, as a node is away or the nodes are full,
is tried again when the rules are next carried out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from buckets.lifecycle import Rule
from chunks.errors import ChunkError
from objects.selectors.lifecycle_transitions import DueTransition, due_transitions
from objects.services.transition import move_version_to_storage_class
from s3protocol import errors

logger = logging.getLogger("objstore.objects")

BATCH_SIZE = 200


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
    for due in due_transitions(rule, bucket_id=bucket_id, minimum_size=minimum_size, now=now, day_seconds=day_seconds):
        for version_row in _candidates(due):
            if not may_go_on():
                return moved, False
            moved += _move(bucket_id, version_row, due.storage_class)
    return moved, True


def _candidates(due: DueTransition) -> Iterator[int]:
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
