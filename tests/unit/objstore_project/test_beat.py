from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import PeriodicTask

from objstore_project.beat import Scheduler
from objstore_project.celery import app
from workers.services import ensure_schedule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    ensure_schedule()
    made = Scheduler(app=app)
    made.started = []
    monkeypatch.setattr(made, "apply_entry", lambda entry, producer=None: made.started.append(entry.task))
    yield made
    made._finalize.cancel()


def run(scheduler: Scheduler, ticks: int = 40) -> set[str]:
    """Tick, with each duty's last run an hour ago; return what was started."""
    scheduler.started.clear()
    for _ in range(ticks):
        scheduler.tick()
    return set(scheduler.started)


def test_duties_that_ran_in_the_future_run_again_after_their_interval(scheduler: Scheduler) -> None:
    PeriodicTask.objects.update(last_run_at=datetime.now(UTC) + timedelta(days=1))
    for entry in scheduler.schedule.values():
        if not hasattr(entry.schedule, "run_every"):
            continue  # a time of the day
        delay = entry.is_due().next
        assert delay <= entry.schedule.run_every.total_seconds() + 1, entry.name


def test_after_a_clock_is_set_back_all_duties_run_and_not_only_the_first(scheduler: Scheduler) -> None:
    names = {task.task for task in PeriodicTask.objects.filter(enabled=True)}
    ahead = 86_400.0
    scheduler.wall_clock = lambda: datetime.now(UTC).timestamp() + ahead
    scheduler.tick()
    assert scheduler._heap
    # What is due was reckoned by a clock that was a day ahead.
    scheduler._heap = [event._replace(time=event.time + ahead) for event in scheduler._heap]
    for entry in scheduler.schedule.values():
        entry.last_run_at = datetime.now(UTC) - timedelta(days=2)
    assert run(scheduler) == set(), "nothing falls due by the old order"
    scheduler.wall_clock = lambda: datetime.now(UTC).timestamp()
    assert names <= run(scheduler, 3 * len(names)) | {"celery.backend_cleanup"}
