"""`manage.py repair_faults`: what the repairer does on its schedule, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from chunks.services import RepairReport
from workers import duties


class Command(BaseCommand):
    """Repair until no fault is due."""

    help = "Rebuild fragments that are lost with their nodes, or recorded as missing, corrupt or misplaced."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        lost = duties.queue_lost_nodes()
        if lost.names:
            self.stdout.write(f"lost nodes: {', '.join(lost.names)}; {lost.queued} more fragments on them queued")
        if duties.repair_faults(report=self.stdout.write) == RepairReport():
            self.stdout.write("no fault is due")
