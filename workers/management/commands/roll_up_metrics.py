"""`manage.py roll_up_metrics`: what is done on the schedule with metrics configurations, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import reporting


class Command(BaseCommand):
    """Count requests."""

    help = "Count the requests of buckets with metrics configurations, as far as the audit log is sealed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        reporting.roll_up_metrics(report=self.stdout.write)
