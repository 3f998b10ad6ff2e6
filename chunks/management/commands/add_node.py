"""`manage.py add_node`: make a place a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from chunks.errors import NodeUnavailable
from chunks.models import Node
from chunks.services import register_node
from chunks.topology import store_kinds


class Command(BaseCommand):
    """Register one node."""

    help = "Make a place a node of a zone. It takes new fragments within seconds; `rebalance` moves old ones to it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="a name of its own, for people")
        parser.add_argument("zone", help="what it fails together with: a rack, a room; made where it is new")
        parser.add_argument("location", help="for a local disk, its directory")
        parser.add_argument("--weight", type=float, default=1.0, help="its share of fragments, relative to its peers")
        parser.add_argument("--kind", choices=store_kinds(), default="local_disk", help="what keeps the fragments")

    def handle(self, *args: Any, **options: Any) -> None:
        """Register it, and say what became of it."""
        name, kind, location = options["name"], options["kind"], options["location"]
        if options["weight"] <= 0:
            raise CommandError("--weight: expected more than 0")
        if Node.objects.filter(name=name).exists():
            raise CommandError(f"there is a node {name!r} already")
        if kind == "local_disk":
            location = str(Path(location).resolve())
        try:
            node = register_node(
                name=name, zone_name=options["zone"], location=location, store_kind=kind, weight=options["weight"]
            )
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(f"{location} is a node already, under another name") from error
        self.stdout.write(f"{node.name} (id {node.pk}) in {options['zone']} is active")
