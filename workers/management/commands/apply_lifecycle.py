"""`manage.py apply_lifecycle`: what is done on the schedule with lifecycle rules, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import duties


class Command(BaseCommand):
    """Carry out the rules that are due."""

    help = "Expire objects, noncurrent versions and lone delete markers, and abort uploads, as lifecycle rules say."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        if duties.apply_lifecycle(report=self.stdout.write).is_nothing:
            self.stdout.write("nothing is due")
