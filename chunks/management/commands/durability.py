"""`manage.py durability`: how likely a chunk is to be lost within a year, now and in a topology that might be."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks import topology as topologies
from chunks.durability import Rates
from chunks.durability_report import DurabilityReport, WhatIf, count_of, report_durability
from chunks.errors import UnknownScheme
from chunks.models import Zone


class Command(BaseCommand):
    """Print one paragraph for each scheme in use."""

    help = (
        "Estimate the annual probability of losing a chunk, by two models: independent failures in replacement windows, and"
        " a simulation in which zones fail as one. Operators, software faults and floods are in neither, and dominate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        default = Rates()
        parser.add_argument("--afr", type=float, default=default.node_afr * 100, help="%% of nodes that fail in a year")
        parser.add_argument(
            "--zone-afr", type=float, default=default.zone_afr * 100, help="%% of zones that burn a year"
        )
        parser.add_argument("--repair-days", type=float, default=default.repair_days, help="until a node is rebuilt")
        parser.add_argument("--years", type=float, default=100_000, help="how long to simulate")
        parser.add_argument("--seed", type=int, default=1, help="of the simulation; the same gives the same")
        parser.add_argument("--scheme", help="what if chunks had this scheme")
        parser.add_argument("--lose-zone", metavar="NAME", help="what if this zone burnt")
        parser.add_argument(
            "--add-nodes", type=int, default=0, metavar="N", help="what if there were so many more nodes"
        )
        parser.add_argument("--json", action="store_true", help="one JSON document, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute and print."""
        if min(options["afr"], options["zone_afr"]) < 0 or min(options["repair_days"], options["years"]) <= 0:
            raise CommandError("rates can't be negative, and repair and simulation must take some time")
        zone = None
        if options["lose_zone"]:
            zone = Zone.objects.filter(name=options["lose_zone"]).first()
            if zone is None:
                raise CommandError(f"there is no zone {options['lose_zone']!r}")
        rates = Rates(options["afr"] / 100, options["zone_afr"] / 100, options["repair_days"])
        what_if = WhatIf(options["scheme"], zone.pk if zone else None, options["add_nodes"])
        try:
            report = report_durability(
                topologies.refresh(), rates, what_if, years=options["years"], seed=options["seed"]
            )
        except (UnknownScheme, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_document(), indent=2))
        else:
            self._print(report)

    def _print(self, report: DurabilityReport) -> None:
        rates = report.rates
        self.stdout.write(
            f"{report.node_count} nodes in {report.zone_count} zones; {rates.node_afr:.3%} of nodes and "
            f"{rates.zone_afr:.3%} of zones fail a year, repaired in {rates.repair_days:g} days"
        )
        for line in report.lines:
            simulated = f"{'less than ' if line.is_bound else ''}{line.simulated_loss:.2g}"
            self.stdout.write(
                f"\n{line.storage_class}, {line.size} chunks: {line.scheme}, {line.overhead:.2f} bytes stored for each\n"
                f"  may be lost: any {count_of(line.tolerated_nodes, 'node')},"
                f" any {count_of(line.tolerated_zones, 'zone')}"
                f"{' (nodes hold several fragments of a chunk)' if line.shares_nodes else ''}\n"
                f"  a year, independent failures: {line.annual_loss:.2g} ({line.nines:.1f} nines)\n"
                f"  a year, zones failing too: {simulated} ({report.years:,.0f} years simulated, seed {report.seed})"
            )
            if line.unreadable_now is not None:
                self.stdout.write(f"  that zone burnt: {line.unreadable_now:.1%} of the chunks could not be read")
            if line.moved is not None:
                self.stdout.write(f"  those nodes added: {line.moved:.1%} of the fragments would move")
