"""`manage.py rewrap_data_keys`: what follows the rotation of a key, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import duties


class Command(BaseCommand):
    """Wrap until nothing is left."""

    help = "Wrap data keys anew that an older version of a key has wrapped. No object moves."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        if not duties.rewrap_data_keys(report=self.stdout.write):
            self.stdout.write("nothing to wrap anew")
