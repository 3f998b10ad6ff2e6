"""`manage.py set_zone_region`: say which region a zone lies in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import NodeUnavailable
from chunks.services import set_zone_region


class Command(BaseCommand):
    """Change one zone's region."""

    help = "Set the region of a zone: for people, and for who plans what may fail together. It moves no fragment."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("region")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change it."""
        try:
            zone = set_zone_region(name=options["name"], region=options["region"])
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{zone.name} is in {zone.region or 'no region'}")
