"""`manage.py list_storage_classes`: how each class keeps its bytes, and how many there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chunks import topology
from chunks.selectors import count_bytes_by_class


class Command(BaseCommand):
    """Print one line for each class."""

    help = (
        "List the storage classes: scheme by size, chunk size, compression, nodes. With --usage, what they hold: the"
        " bytes of objects, those of chunks (compressed, encrypted), and those on nodes with all redundancy."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--usage", action="store_true", help="count bytes, which reads all rows of chunks")
        parser.add_argument("--json", action="store_true", help="one JSON document, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them."""
        entries = topology.refresh().storage_classes
        usage = count_bytes_by_class() if options["usage"] else {}
        if options["json"]:
            document = [
                asdict(entry) | ({"usage": asdict(usage[entry.name])} if entry.name in usage else {})
                for entry in entries
            ]
            self.stdout.write(json.dumps(document, indent=2))
            return
        for entry in entries:
            self.stdout.write(f"{entry.name}: {entry}")
            held = usage.get(entry.name)
            if held is not None:
                self.stdout.write(
                    f"    {held.chunk_count:,} chunks hold {held.plain_bytes:,} bytes in {held.chunk_bytes:,}, with"
                    f" all fragments {held.stored_bytes:,} ({held.compressed_count:,} chunks are compressed)"
                )
