"""`manage.py journal_status`: how far the copy of the metadata on the nodes is behind the database."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from journal.selectors import JournalStatus, journal_status


class Command(BaseCommand):
    """Print the state; exit with 1 if the journal is not well."""

    help = "Tell how far the journal of the metadata is behind, where its records are, and whether it is well."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="one JSON document, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look and print."""
        status = journal_status()
        if options["json"]:
            self.stdout.write(json.dumps(status.document()))
        else:
            self._print(status)
        if status.complaint:
            sys.exit(1)

    def _print(self, status: JournalStatus) -> None:
        if status.mode is None:
            self.stdout.write(status.complaint or "there is no journal")
            return
        rows = {
            "mode": status.mode,
            "lineage": status.lineage,
            "behind": f"{status.behind_bytes:,} bytes of the server's log",
            "caught up at": status.confirmed_at or "never",
            "last commit": status.last_commit_at or "none since the snapshot",
            "segments": f"{status.segment_count:,}, {status.segment_bytes:,} bytes",
            "snapshot": f"{status.snapshot_at or 'none'}, {status.snapshot_bytes:,} bytes",
            "on nodes": ", ".join(status.holders) or "none",
            "state": status.complaint or "well",
        }
        for label, value in rows.items():
            self.stdout.write(f"{label:<14}{value}")
