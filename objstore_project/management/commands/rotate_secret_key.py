"""`manage.py rotate_secret_key`: another master key, and every stored secret sealed by it."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from journal.services.state import ask_for_snapshot
from objstore_project.environment import PREVIOUS_SECRET_KEY_FILE, SECRET_KEY_FILE, write_private_file
from objstore_project.resealing import reseal_rows
from objstore_project.settings.base import ENVIRONMENT


class Command(BaseCommand):
    """Begin a rotation, carry it out, end it."""

    help = (
        "Rotate the master key in three steps: `--begin` makes a new one and keeps the old one for opening (with keys in "
        "the environment, set OBJSTORE_SECRET_KEY and OBJSTORE_PREVIOUS_SECRET_KEY instead); restart all processes; run it "
        "without options to seal every stored secret anew; `--finish` forgets the old key; restart again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        step = parser.add_mutually_exclusive_group()
        step.add_argument("--begin", action="store_true", help="make a new key file")
        step.add_argument("--finish", action="store_true", help="delete the old key file, once all is sealed anew")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the step."""
        if options["begin"]:
            self._begin()
            return
        if not settings.SECRET_KEY_FALLBACKS:
            raise CommandError("there is no previous key: begin with --begin, or set OBJSTORE_PREVIOUS_SECRET_KEY")
        unreadable = self._reseal()
        if unreadable:
            raise CommandError(f"{unreadable} secrets are sealed by a key that is not known; the previous key stays")
        if options["finish"]:
            self._finish()

    def _begin(self) -> None:
        current = settings.OBJSTORE_DATA_DIR / SECRET_KEY_FILE
        previous = settings.OBJSTORE_DATA_DIR / PREVIOUS_SECRET_KEY_FILE
        if ENVIRONMENT.secret("OBJSTORE_SECRET_KEY") is not None:
            raise CommandError("the key is in the environment: set OBJSTORE_SECRET_KEY to a new one there")
        if previous.exists():
            raise CommandError(f"a rotation is under way: {previous} is there")
        # The old key first: killed in between, both files hold it, and --finish cleans up.
        write_private_file(previous, current.read_text(encoding="ascii"))
        write_private_file(current, secrets.token_urlsafe(48) + "\n")
        self.stdout.write("there is a new key, and the old one opens what it has sealed; restart all processes now")

    def _finish(self) -> None:
        ask_for_snapshot()  # what the previous key sealed leaves the journal with the snapshot before
        (settings.OBJSTORE_DATA_DIR / PREVIOUS_SECRET_KEY_FILE).unlink(missing_ok=True)
        if ENVIRONMENT.secret("OBJSTORE_PREVIOUS_SECRET_KEY") is not None:
            self.stdout.write(
                "nothing is sealed by the previous key; unset OBJSTORE_PREVIOUS_SECRET_KEY, and restart all processes"
            )
        else:
            self.stdout.write("the previous key is forgotten; restart all processes")

    def _reseal(self) -> int:
        unreadable = 0
        for done in reseal_rows():
            unreadable += done.unreadable
            self.stdout.write(f"{done.column}: {done.rows} sealed anew, {done.unreadable} unreadable")
        return unreadable
