"""`manage.py scrub`: read and check every fragment once, now."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from workers import duties


class Command(BaseCommand):
    """Verify all that was not verified since the command began."""

    help = "Read and check all fragments, the longest unread first; what is wrong is queued for repair."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        rate = parser.add_mutually_exclusive_group()
        rate.add_argument("--unlimited", action="store_true", help="as fast as the disks give")
        rate.add_argument("--mib-per-second", type=float, help=f"default {settings.OBJSTORE_SCRUB_MIB_PER_SECOND:g}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the duty and say what it did. Ctrl-C stops it; what is verified stays so."""
        rate = 0.0 if options["unlimited"] else options["mib_per_second"]
        found = duties.scrub(mib_per_second=rate, verified_before=timezone.now(), report=self.stdout.write)
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(found.faults.items())) or "no fault found"
        self.stdout.write(f"{found.chunks} chunks, {found.fragments} fragments: {faults}")
