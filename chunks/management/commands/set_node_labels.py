"""`manage.py set_node_labels`: say what a node is fit for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import NodeUnavailable
from chunks.services import set_node_labels


class Command(BaseCommand):
    """Change one node's labels."""

    help = "Set a node's labels, in place of those that it has. A storage class may ask for one: see set_storage_class."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("labels", nargs="*", help="words of your own: hot, cold, remote; none: it has no label")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change them."""
        try:
            node = set_node_labels(name=options["name"], labels=options["labels"])
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{node.name}: {', '.join(node.labels) or 'no labels'}")
