"""`manage.py set_node_capacity`: say how much a node in a storage may hold."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import BadNode, NodeUnavailable
from chunks.services import change_node


class Command(BaseCommand):
    """Change one node's capacity."""

    help = "Set how much a node may hold whose storage knows no end itself. A local disk is asked instead."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("bytes", help="how many; none: without end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change it."""
        text = options["bytes"]
        if text != "none" and not text.isdecimal():
            raise CommandError("expected a number of bytes, or none")
        try:
            node = change_node(name=options["name"], capacity_bytes=None if text == "none" else int(text))
        except (NodeUnavailable, BadNode) as error:
            raise CommandError(str(error)) from error
        capacity = "as much as it takes" if node.capacity_bytes is None else f"{node.capacity_bytes:,} bytes"
        self.stdout.write(f"{node.name} may hold {capacity}")
