"""`manage.py list_nodes`: the nodes, what they hold and how they fare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from chunks import topology
from chunks.durability_report import describe_schemes
from chunks.selectors import Health, NodeSummary, list_nodes

HEADINGS = (
    "NODE",
    "ZONE",
    "STATE",
    "WEIGHT",
    "LABELS",
    "SIZE",
    "FREE",
    "FRAGMENTS",
    "FAULTS",
    "SEEN",
    "LATENCY",
    "STORE",
    "LAST ERROR",
)


class Command(BaseCommand):
    """Print one line for each node."""

    help = "List the nodes: state, capacity, fragments, faults, and what the last look at each found."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="one JSON document, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        nodes = list_nodes()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(node) for node in nodes], indent=2, default=_plain))
            return
        now = timezone.now()
        rows = [HEADINGS, *(_cells(node, now) for node in nodes)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        for row in rows:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        for line in describe_schemes(topology.refresh()):
            self.stdout.write(line)


def _cells(node: NodeSummary, now: datetime) -> Sequence[str]:
    return (
        node.name,
        "/".join(part for part in (node.region, node.zone_name) if part),
        node.state.value,
        f"{node.weight:g}",
        ",".join(node.labels) or "-",
        *_health_cells(node.health, node.fragment_count, node.fault_count, now),
        f"{node.location} {node.options}".rstrip(),
        "" if node.health is None else node.health.last_error,
    )


def _health_cells(health: Health | None, fragment_count: int, fault_count: int, now: datetime) -> Sequence[str]:
    counts = (f"{fragment_count:,}", f"{fault_count:,}")
    if health is None:
        return ("-", "-", *counts, "never", "-")
    seen = "never" if health.last_seen_at is None else f"{(now - health.last_seen_at).total_seconds():.0f} s ago"
    latency = "-" if health.latency_seconds is None else f"{health.latency_seconds * 1000:.1f} ms"
    return (_gibibytes(health.total_bytes), _gibibytes(health.free_bytes), *counts, seen, latency)


def _gibibytes(size_bytes: int | None) -> str:
    return "-" if size_bytes is None else f"{size_bytes / (1 << 30):,.1f} GiB"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
