"""The scheduler of the duties, which a clock that is set back does not stop.

Celery's compares the times at which duties ran last with the clock, and keeps the order in which they fall due by the
clock's time: after the clock was a day ahead, nothing would run for a day. Here a duty that ran in the future ran just now,
and the order is made anew. A clock that is set forward makes everything due at once, which does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

SET_BACK_SECONDS = 1.0  # less than that, clocks are adjusted all the time


class Entry(ModelEntry):  # type: ignore[misc]  # no types
    """A duty on the schedule."""

    def is_due(self) -> Any:
        """Say whether it is due; what ran in the future ran now."""
        now = self._default_now()
        last_run_at: datetime = self.model.last_run_at
        if last_run_at > now:
            self.last_run_at = self.model.last_run_at = now
        return super().is_due()


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # no types
    """The schedule in the database."""

    Entry = Entry
    wall_clock: Callable[[], float] = staticmethod(time.time)
    _offset_seconds: float | None = None

    def tick(self, *args: Any, **options: Any) -> Any:
        """Start what is due; return the seconds until the next is."""
        offset_seconds = self.wall_clock() - time.monotonic()
        if self._offset_seconds is not None and offset_seconds < self._offset_seconds - SET_BACK_SECONDS:
            self._heap = None  # made anew by the next line
        self._offset_seconds = offset_seconds
        return super().tick(*args, **options)
