"""`manage.py deliver_access_logs`: what waits to be delivered, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from workers import duties


class Command(BaseCommand):
    """Deliver until nothing settled is left."""

    help = "Deliver server access logs to the buckets that want them; what was asked in the last seconds waits."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        duties.deliver_access_logs(report=self.stdout.write)
