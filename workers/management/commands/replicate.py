"""`manage.py replicate`: what is done on the schedule with replication, now; or how far behind it is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from objects.selectors.replication import replication_lags
from workers import duties


class Command(BaseCommand):
    """Replicate, or tell the lag."""

    help = "Carry out what waits to be replicated; with --status, say instead what waits, for how long, and what fails."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--status", action="store_true", help="change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty, or look."""
        if not options["status"]:
            done = duties.replicate(report=self.stdout.write)
            if not (done.done or done.failed):
                self.stdout.write("nothing waits")
            return
        for lag in replication_lags():
            error = f", {lag.failing} failing: {lag.last_error}" if lag.failing else ""
            self.stdout.write(
                f"{lag.bucket_name} to {lag.destination_name}: {lag.waiting} waiting, {lag.size_bytes} bytes, "
                f"the oldest for {lag.lag_seconds:.0f} s{error}"
            )
