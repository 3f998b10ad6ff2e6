"""`manage.py collect_garbage`: what the collector does on its schedule, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workers import duties


class Command(BaseCommand):
    """Collect until nothing is left."""

    help = "Erase expired history, drop stale uploads, delete unreferenced chunks, unlink their fragments, compact segments."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--grace-seconds", type=float, help="how long an unreferenced chunk is left alone")
        parser.add_argument("--stale-upload-seconds", type=float, help="the age at which an upload is dropped")
        parser.add_argument(
            "--orphan-grace-seconds", type=float, help="how long a sealed segment is left alone in which nothing is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did."""
        total = duties.collect_garbage(
            grace_seconds=options["grace_seconds"],
            stale_upload_seconds=options["stale_upload_seconds"],
            orphan_grace_seconds=options["orphan_grace_seconds"],
            report=self.stdout.write,
        )
        if total.is_nothing:
            self.stdout.write("nothing to collect")
