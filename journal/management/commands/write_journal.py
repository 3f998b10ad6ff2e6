"""`manage.py write_journal`: keep the journal until a signal; one process of the system does nothing else."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from journal.services.writing import JournalWriter


class Command(BaseCommand):
    """Run the writer in the foreground. A second one waits until the first ends."""

    help = (
        "Keep a journal of the metadata on the nodes, from which `restore_metadata` rebuilds the database. `manage.py up`"
        " runs this by itself."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write until SIGTERM or SIGINT."""
        stops: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: stops.append(received))
        if not settings.OBJSTORE_JOURNAL:
            self.stderr.write("OBJSTORE_JOURNAL is off: the metadata is not journaled")
            while not stops:
                signal.pause()
            return
        JournalWriter(lambda: not stops).run()
