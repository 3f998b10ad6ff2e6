"""`manage.py deliver_reports`: what is done on the schedule with inventories and analyses, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import reporting


class Command(BaseCommand):
    """Write the reports that are due."""

    help = "Write the inventories and analyses of buckets that are due into the buckets that they go to."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        if not reporting.deliver_reports(report=self.stdout.write):
            self.stdout.write("nothing is due")
