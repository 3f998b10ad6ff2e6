"""`manage.py drain_node`: empty a node, so that it can be taken away."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks import services as chunk_services
from chunks.errors import NodeUnavailable
from chunks.models import Relocation
from chunks.records import NodeState, RelocationKind
from workers import moving


class Command(BaseCommand):
    """Set a node to draining, and move what it holds."""

    help = "Move all fragments of a node to others. Stopped by Ctrl-C, the workers go on; set_node_state takes it back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--background", action="store_true", help="leave the moving to the workers")
        rate = parser.add_mutually_exclusive_group()
        rate.add_argument("--unlimited", action="store_true", help="as fast as the disks give")
        rate.add_argument("--mib-per-second", type=float, help="what may be read and written together")

    def handle(self, *args: Any, **options: Any) -> None:
        """Drain it, and say how far it has come."""
        try:
            node = chunk_services.set_node_state(name=options["name"], state=NodeState.DRAINING)
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        chunk_services.begin_drains()
        drains = Relocation.objects.filter(kind=RelocationKind.DRAIN, node_id=node.pk, finished_at=None)
        relocation = drains.first()
        if options["background"]:
            self.stdout.write(f"{node.name} is draining")
        elif relocation is None:
            self.stdout.write(f"{node.name} holds no fragments")
        else:
            rate = 0.0 if options["unlimited"] else options["mib_per_second"]
            relocation = moving.follow(relocation, report=self.stdout.write, mib_per_second=rate)
            self.stdout.write(f"{node.name}: {relocation.outcome}")
