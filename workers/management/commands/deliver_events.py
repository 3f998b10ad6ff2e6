"""`manage.py deliver_events`: what is done on the schedule with the outbox, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import duties


class Command(BaseCommand):
    """Deliver what waits."""

    help = "Deliver the events that wait for targets which may be tried."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        done = duties.deliver_events(report=self.stdout.write)
        if not (done.sent or done.failed):
            self.stdout.write("nothing waits")
