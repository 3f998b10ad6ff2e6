"""`manage.py list_endangered`: chunks and objects at reduced redundancy, the most endangered first."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from objects.selectors.endangered import EndangeredObject, iterate_endangered


class Command(BaseCommand):
    """Print one line for each object that has bytes in an endangered chunk."""

    help = "List the chunks with fewer good fragments than they should have, and the objects in them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="one JSON document a line, for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them, and how many they are."""
        chunks: set[object] = set()
        lost: set[object] = set()
        for found in iterate_endangered():
            chunks.add(found.chunk_id)
            if found.spare_count < 0:
                lost.add(found.chunk_id)
            self.stdout.write(json.dumps(asdict(found), default=str) if options["json"] else _line(found))
        if not options["json"]:
            self.stdout.write(
                f"{len(chunks)} chunks at reduced redundancy, {len(lost)} of them can't be read"
                if chunks
                else "every chunk has all its fragments, as far as is known"
            )


def _line(found: EndangeredObject) -> str:
    fate = "can't be read now" if found.spare_count < 0 else f"{found.spare_count} more may be lost"
    return (
        f"chunk {found.chunk_id} ({found.scheme}): {found.lost_count} of {found.fragment_count} fragments lost, {fate}: "
        f"{_name(found)}"
    )


def _name(found: EndangeredObject) -> str:
    if found.key is None:
        return "no object"
    name = f"{found.bucket_name or 'deleted bucket'}/{found.key}"
    if found.upload_id is not None:
        return f"{name} (upload {found.upload_id})"
    version = "" if found.version_id in {None, "null"} else f" version {found.version_id}"
    return f"{name}{version}{' (history)' if found.is_history else ''}"
