"""`manage.py rotate_kms_key`: a new version for a key. No object moves: the duty wraps data keys anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from keymanagement.errors import KeyManagementError, KeyNotFound
from keymanagement.services import rotate_key


class Command(BaseCommand):
    """Rotate a key."""

    help = "Give a key a new version. `rewrap_data_keys`, which the workers run on a schedule, follows."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate the key and say which version wraps now."""
        try:
            version = rotate_key(options["name"])
        except KeyNotFound:
            raise CommandError(f"there is no key {options['name']}") from None
        except KeyManagementError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['name']}: version {version}")
