"""`make bench`: start a system, measure it against its references, print one table.

Exits with 1 where a ratio misses its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import Comparison
from benchmarks.measures import FULL, QUICK, measure_all
from benchmarks.servers import running_nginx, running_nothing, running_system

ROW = "{:<18} {:>10} {:<6} {:<24} {:>10} {:<6} {:>7} {:>15} {:>6}"


def main() -> int:
    """Measure, and say whether every bar is reached."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a look, no figures to keep")
    parser.add_argument("--json", action="store_true", help="print the figures of every round as JSON")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only this one: get, put, head, list, large-put, large-get"
    )
    parser.add_argument("--directory", type=Path, help="where the system keeps its data while it is measured")
    options = parser.parse_args()
    effort = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name:
        directory = Path(name)
        nginx_directory = directory / "nginx"
        nginx_directory.mkdir()
        with (
            running_system(directory) as subject,
            running_nothing(directory, subject.system.environment) as nothing_host,
            running_nginx(nginx_directory) as nginx_host,
        ):
            comparisons = []
            if not options.json:
                print_heading()
            for comparison in measure_all(
                subject, nothing_host, nginx_host, nginx_directory, effort, names=options.only
            ):
                comparisons.append(comparison)
                if not options.json:
                    print_row(comparison)
    if options.json:
        print(json.dumps([as_dict(comparison) for comparison in comparisons], indent=2))
    return 0 if all(comparison.is_reached for comparison in comparisons) else 1


def print_heading() -> None:
    """Print what stands above the table."""
    print(f"{os.cpu_count()} processors, shared by the system, its references and the load. Medians of the rounds.\n")
    print(ROW.format("what", "rate", "", "reference", "rate", "", "ratio", "of the rounds", "bar"))


def print_row(comparison: Comparison) -> None:
    """Print one comparison."""
    bar = "" if comparison.bar is None else f"{comparison.bar:.0%}"
    spread = f"{min(comparison.ratios):.1%}-{max(comparison.ratios):.1%}"
    print(
        ROW.format(
            comparison.name,
            figure(comparison.subject),
            comparison.unit,
            comparison.reference_name,
            figure(comparison.reference),
            comparison.unit,
            f"{comparison.ratio:.1%}",
            spread,
            bar,
        )
        + ("" if comparison.is_reached else "  missed"),
        flush=True,
    )


def figure(rates: Sequence[float]) -> str:
    """Render the median of some rates."""
    return f"{statistics.median(rates):,.0f}"


def as_dict(comparison: Comparison) -> dict[str, object]:
    """Return everything about a comparison, for other programs."""
    return {
        "name": comparison.name,
        "unit": comparison.unit,
        "subject": comparison.subject,
        "reference_name": comparison.reference_name,
        "reference": comparison.reference,
        "ratio": comparison.ratio,
        "bar": comparison.bar,
        "is_reached": comparison.is_reached,
    }


if __name__ == "__main__":
    sys.exit(main())
