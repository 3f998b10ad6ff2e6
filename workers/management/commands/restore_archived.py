"""`manage.py restore_archived`: what is done on the schedule with restores of archived versions, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from objects.services.archive import Restored
from workers import duties


class Command(BaseCommand):
    """Open what was asked for, close what is over."""

    help = "Open the restores of archived versions that were asked for, and close those whose days are over."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what was done."""
        if duties.restore_archived(report=self.stdout.write) == Restored():
            self.stdout.write("Nothing to do.")
