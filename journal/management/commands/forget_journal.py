"""`manage.py forget_journal`: delete the records of another lineage than this database's."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks import topology
from journal.archive import drop_records, find_records, stores_of
from journal.models import JournalState


class Command(BaseCommand):
    """Delete them from all nodes that can be reached."""

    help = (
        "Delete the journal of a database that this one does not descend from, as one that was restored only in part."
        " Nothing can be restored from it afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("lineage", help="eight digits, as restore_metadata and the records' names show it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find and delete."""
        lineage = options["lineage"]
        state = JournalState.objects.first()
        if state is not None and lineage == state.lineage.hex[:8]:
            raise CommandError("this is the journal of this very database")
        nodes = topology.refresh()
        found = find_records(stores_of(nodes))
        names = [name for name in found.holders if name.lineage == lineage]
        if not names:
            raise CommandError(f"no node that can be reached has a journal {lineage}")
        drop_records(names, topology=nodes)
        self.stdout.write(f"{len(names)} records are deleted")
        for label, error in found.unreachable.items():
            self.stdout.write(f"{label} may have more: {error}")
