"""`manage.py add_node`: make a place a node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from chunks.errors import NodeUnavailable
from chunks.management.storage_arguments import add_storage_arguments, storage_options
from chunks.models import Node
from chunks.services import register_node
from chunks.stores.django_storage.options import StoreOptions
from chunks.topology import DJANGO_STORAGE, LOCAL_DISK


class Command(BaseCommand):
    """Register one node."""

    help = (
        "Make a directory, or any Django storage, a node of a zone. It takes new fragments within seconds; `rebalance`"
        " moves old ones to it. Options that sound like secrets are sealed with OBJSTORE_SECRET_KEY and never shown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="a name of its own, for people")
        parser.add_argument("zone", help="what it fails together with: a rack, a room; made where it is new")
        parser.add_argument("location", nargs="?", help="the directory of a local disk")
        parser.add_argument("--label", action="append", default=[], help="what it is fit for; storage classes may ask")
        parser.add_argument("--weight", type=float, default=1.0, help="its share of fragments, relative to its peers")
        add_storage_arguments(parser)
        parser.add_argument(
            "--capacity-bytes", type=int, help="how much a storage may hold that knows no end itself; it is not asked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register it, and say what became of it."""
        name, location, storage = options["name"], options["location"], options["storage"]
        if options["weight"] <= 0:
            raise CommandError("--weight: expected more than 0")
        if options["capacity_bytes"] is not None and options["capacity_bytes"] <= 0:
            raise CommandError("--capacity-bytes: expected more than 0")
        if (location is None) == (storage is None):
            raise CommandError("expected a directory or --storage, and not both")
        if Node.objects.filter(name=name).exists():
            raise CommandError(f"there is a node {name!r} already")
        store_options = storage_options(options)
        if storage is None and (store_options != StoreOptions() or options["capacity_bytes"] is not None):
            raise CommandError("options and a capacity are for --storage")
        place = storage or str(Path(location).resolve())
        try:
            node = register_node(
                name=name,
                zone_name=options["zone"],
                location=place,
                store_kind=DJANGO_STORAGE if storage else LOCAL_DISK,
                weight=options["weight"],
                options=store_options,
                capacity_bytes=options["capacity_bytes"],
                labels=options["label"],
            )
        except NodeUnavailable as error:
            raise CommandError(str(error)) from error
        except IntegrityError as error:
            raise CommandError(f"{place} is a node already, under another name") from error
        self.stdout.write(f"{node.name} (id {node.pk}) in {options['zone']} is active")
