"""`manage.py sweep_orphans`: compare what the nodes hold with the database, and delete what no chunk names."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workers import duties


class Command(BaseCommand):
    """Sweep all nodes once."""

    help = "Delete fragments that no chunk names and that are older than the grace period."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--grace-seconds", type=float, help="how old an orphan must be to go")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        duties.sweep_orphans(grace_seconds=options["grace_seconds"], report=self.stdout.write)
