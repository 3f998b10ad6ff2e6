"""`manage.py redeliver_events`: send dead letters again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.models import EventTarget
from events.services.delivery import redeliver_events


class Command(BaseCommand):
    """Give dead letters another chance."""

    help = "Let dead letters be sent again: those of a target, or all."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("target", nargs="?", help="the name of a target; all targets without it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue them."""
        target = None
        if options["target"] is not None:
            target = EventTarget.objects.filter(name=options["target"]).first()
            if target is None:
                raise CommandError(f"there is no target {options['target']!r}")
        self.stdout.write(f"{redeliver_events(target=target)} events will be sent again")
