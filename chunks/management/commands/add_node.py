"""`manage.py add_node`: make a place a node."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from chunks.errors import NodeUnavailable
from chunks.models import Node
from chunks.services import register_node
from chunks.stores.django_storage.options import StoreOptions, build_options, is_secret
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
        parser.add_argument(
            "--storage",
            metavar="CLASS",
            help="a Django storage class by its dotted path: storages.backends.s3.S3Storage",
        )
        parser.add_argument(
            "--option",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="an argument of the storage class, as JSON or text; a.b=c is a member of a mapping",
        )
        parser.add_argument(
            "--option-file",
            metavar="NAME=PATH",
            action="append",
            default=[],
            help="a secret argument, read from a file now and kept sealed",
        )
        parser.add_argument(
            "--option-env",
            metavar="NAME=VARIABLE",
            action="append",
            default=[],
            help="a secret argument that each process reads from OBJSTORE_NODE_SECRET_VARIABLE",
        )
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
        store_options = self._store_options(options)
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

    def _store_options(self, options: dict[str, Any]) -> StoreOptions:
        try:
            secret = {name: Path(path).read_text().rstrip("\r\n") for name, path in _pairs(options["option_file"])}
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"--option-file: {error}") from error
        given = {name: _parsed(name, text) for name, text in _pairs(options["option"])}
        return build_options(given, secret, dict(_pairs(options["option_env"])))


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise CommandError("an option is NAME=VALUE")  # the text is not repeated: it may be a secret
        yield name, value


def _parsed(name: str, text: str) -> Any:
    """Return a value: JSON where it is true, false, null, a number, a list or a mapping, else the text as it is."""
    if is_secret(name, text):
        return text  # a password of digits is no number
    try:
        return json.loads(text)
    except ValueError:
        return text
