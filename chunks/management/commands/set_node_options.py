"""`manage.py set_node_options`: other credentials or another address for the storage of a node."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import NodeUnavailable
from chunks.management.storage_arguments import add_option_arguments, storage_options
from chunks.services import change_node_options


class Command(BaseCommand):
    """Change some options of one node's storage, the others stay."""

    help = (
        "Change options of a node's storage: a new key, another address. It must be the same storage afterwards, which its"
        " identity tells; else nothing is changed. Processes follow within seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        add_option_arguments(parser)
        parser.add_argument("--remove", metavar="NAME", action="append", default=[], help="an option to leave out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Change them, and say so."""
        try:
            node = change_node_options(
                name=options["name"], changes=storage_options(options), removed=options["remove"]
            )
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{node.name} is the same storage by its new options")
