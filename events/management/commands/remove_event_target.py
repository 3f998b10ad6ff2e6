"""`manage.py remove_event_target`: forget a target."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from events.errors import TargetMisconfigured
from events.models import EventTarget
from events.services.targets import remove_event_target


class Command(BaseCommand):
    """Remove a target."""

    help = "Remove an event target that no bucket's configuration names, with what still waits for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove it."""
        target = EventTarget.objects.filter(name=options["name"]).first()
        if target is None:
            raise CommandError(f"there is no target {options['name']!r}")
        try:
            remove_event_target(target)
        except TargetMisconfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"removed {options['name']}")
