"""`manage.py fsck`: compare the database with itself and with the disks, completely; the journal's records, too."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from chunks import topology
from chunks.inspection import FragmentFinding, Inspected, inspect_chunks, inspect_nodes
from journal.inspection import JournalFinding, JournalInspection, inspect_journal
from objects.selectors.consistency import MetadataFinding, find_inconsistencies

PROGRESS_SECONDS = 5.0


class Command(BaseCommand):
    """Look at everything, change nothing; exit with 1 if anything is wrong."""

    help = (
        "Check that metadata is consistent, that every fragment is on its node and every fragment on a node has its row,"
        " and that the metadata could be restored from the nodes. Changes nothing; the scrub, the repairer and the collector put right what can be."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--deep", action="store_true", help="read and check all fragments, not only their sizes")
        parser.add_argument(
            "--without-journal", action="store_true", help="leave out what the nodes keep of the metadata"
        )
        parser.add_argument("--show", type=int, default=20, help="how many problems of a kind to print (default 20)")
        parser.add_argument("--json", action="store_true", help="the summary as one JSON document, for machines")
        parser.add_argument(
            "--orphan-grace-seconds",
            type=float,
            default=settings.OBJSTORE_ORPHAN_GRACE_SECONDS,
            help="younger fragments without a row may belong to uploads under way, and are no problem",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, print what is wrong and a summary."""
        topology.refresh()
        started_at = self._said_at = time.monotonic()
        inspected, counts = Inspected(), Counter[str]()
        journal = JournalInspection([])
        if not options["without_journal"]:
            journal = inspect_journal(topology.current(), is_deep=options["deep"])
        findings = self._findings(inspected, is_deep=options["deep"], grace=options["orphan_grace_seconds"])
        for finding in chain(journal.findings, findings):
            counts[finding.problem] += 1
            if counts[finding.problem] <= options["show"] and not options["json"]:
                self.stdout.write(f"{finding.problem}: {finding.subject}")
            self._say(inspected)
        summary = {
            "problems": counts.total(),
            "by_kind": dict(counts),
            "chunks": inspected.chunks,
            "fragments": inspected.fragments,
            "read_bytes": inspected.read_bytes,
            "listed": inspected.listed,
            "journal_records": journal.record_count,
            "seconds": round(time.monotonic() - started_at, 3),
        }
        self._print_summary(summary, is_json=options["json"])
        if counts:
            sys.exit(1)

    def _findings(
        self, inspected: Inspected, *, is_deep: bool, grace: float
    ) -> Iterator[MetadataFinding | FragmentFinding | JournalFinding]:
        return chain(
            find_inconsistencies(),
            inspect_chunks(inspected, is_deep=is_deep),
            inspect_nodes(inspected, written_before=timezone.now() - timedelta(seconds=grace)),
        )

    def _say(self, inspected: Inspected) -> None:
        if time.monotonic() - self._said_at > PROGRESS_SECONDS:
            self._said_at = time.monotonic()
            self.stderr.write(f"{inspected.chunks:,} chunks, {inspected.listed:,} stored fragments so far")

    def _print_summary(self, summary: dict[str, Any], *, is_json: bool) -> None:
        if is_json:
            self.stdout.write(json.dumps(summary))
            return
        for kind, count in summary["by_kind"].items():
            self.stdout.write(f"{count:8,}  {kind}")
        read = f", {summary['read_bytes'] / (1 << 20):,.0f} MiB read and verified" if summary["read_bytes"] else ""
        self.stdout.write(
            f"{summary['chunks']:,} chunks, {summary['fragments']:,} fragments{read}, {summary['listed']:,} found on "
            f"nodes, {summary['journal_records']:,} records of the journal, {summary['seconds']:.1f} s: {summary['problems'] or 'no'} problems"
        )
