"""`manage.py set_node_weight`: say how large a node's share of fragments is."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import BadNode, NodeUnavailable
from chunks.services import change_node


class Command(BaseCommand):
    """Change one node's weight."""

    help = "Set a node's share of new fragments, relative to its peers. `rebalance` moves old ones accordingly."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("weight", type=float, help="1: as much as most; 2: twice as much")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change it."""
        try:
            node = change_node(name=options["name"], weight=options["weight"])
        except (NodeUnavailable, BadNode) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{node.name} has weight {node.weight:g}")
