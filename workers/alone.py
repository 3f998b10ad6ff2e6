"""Keep a duty that takes long to one process at a time, so that its rate limit holds for the whole system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any number that nothing else uses as a class of advisory locks.
LOCK_CLASS = 28515


@contextmanager
def alone(duty: str) -> Iterator[bool]:
    """Say whether no other process does this duty now; none can begin it until the block ends.

    The lock is the connection's: it goes with a process that is killed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [LOCK_CLASS, duty])
        row = cursor.fetchone()
    is_ours = bool(row and row[0])
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [LOCK_CLASS, duty])
