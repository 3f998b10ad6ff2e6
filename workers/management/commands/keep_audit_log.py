"""`manage.py keep_audit_log`: what the audit log needs done, now."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand

from workers import duties

SETTLE_SECONDS = 1.0


class Command(BaseCommand):
    """Run the duty twice: the first run notes the ids that the second finds settled."""

    help = "Seal the audit log's rows, make the partitions of the days ahead, drop those whose time is over."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        duties.keep_audit_log(report=self.stdout.write)
        time.sleep(SETTLE_SECONDS)
        duties.keep_audit_log(report=self.stdout.write)
