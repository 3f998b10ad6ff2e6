"""`manage.py list_event_targets`: where events go, what waits, what failed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Q

from events.models import EventTarget


class Command(BaseCommand):
    """List the targets."""

    help = "List event targets with what waits for them, dead letters, and the last error."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each."""
        waiting = Count("events", filter=Q(events__dead_at=None))
        dead = Count("events", filter=~Q(events__dead_at=None))
        for target in EventTarget.objects.annotate(waiting=waiting, dead=dead):
            whose = "all accounts" if target.is_shared else target.account_id or "no account"
            state = "" if target.is_active else " inactive"
            error = f" failing: {target.last_error}" if target.attempts else ""
            self.stdout.write(
                f"{target.arn} {target.address} for {whose}{state} {target.waiting} waiting, {target.dead} dead letters{error}"
            )
