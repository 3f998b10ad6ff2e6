"""`manage.py rebalance`: bring fragments to where placement says that they belong, as after a node has joined."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chunks import services as chunk_services
from chunks import topology
from chunks.models import Relocation
from chunks.records import MEBIBYTE, RelocationKind
from chunks.selectors import estimate_rebalance
from workers import moving


class Command(BaseCommand):
    """Move every fragment that belongs elsewhere."""

    help = "Move fragments to where placement says that they belong. Stopped by Ctrl-C, the workers go on; see --stop."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="only say what would be moved")
        what.add_argument("--stop", action="store_true", help="end the rebalancing that is under way")
        what.add_argument("--background", action="store_true", help="leave the moving to the workers")
        what.add_argument("--limit", type=int, help="end after about so many fragments")
        rate = parser.add_mutually_exclusive_group()
        rate.add_argument("--unlimited", action="store_true", help="as fast as the disks give")
        rate.add_argument("--mib-per-second", type=float, help="what may be read and written together")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked."""
        topology.refresh()
        if options["dry_run"]:
            self._estimate()
        elif options["stop"]:
            under_way = Relocation.objects.filter(kind=RelocationKind.REBALANCE, finished_at=None)
            found = list(under_way)
            for relocation in found:
                chunk_services.end_relocation(relocation, "stopped")
            self.stdout.write("stopped" if found else "no rebalancing is under way")
        elif options["background"]:
            chunk_services.begin_rebalance()
            self.stdout.write("the workers rebalance")
        else:
            rate = 0.0 if options["unlimited"] else options["mib_per_second"]
            relocation = moving.follow(
                chunk_services.begin_rebalance(),
                report=self.stdout.write,
                mib_per_second=rate,
                fragments_max=options["limit"],
            )
            self.stdout.write(f"{moving.describe(relocation)}: {relocation.outcome}")

    def _estimate(self) -> None:
        estimate = estimate_rebalance()
        share = estimate.moves / max(1, estimate.fragments)
        self.stdout.write(
            f"{estimate.moves:,} of {estimate.fragments:,} fragments ({share:.1%}, "
            f"{estimate.move_bytes / MEBIBYTE:,.0f} MiB) belong elsewhere"
        )
        for name, (before, after) in estimate.nodes.items():
            self.stdout.write(f"{name:20} {before:12,} -> {after:,}")
