"""`manage.py create_kms_key`: a key that clients can name for SSE-KMS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from keymanagement.errors import KeyExists, KeyManagementError
from keymanagement.names import key_arn
from keymanagement.services import create_key


class Command(BaseCommand):
    """Create a key, idempotently."""

    help = "Create a key for SSE-KMS and print its ARN; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the key and print its ARN."""
        try:
            create_key(options["name"])
        except KeyExists:
            pass
        except (KeyManagementError, ValueError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(key_arn(options["name"], settings.OBJSTORE_REGION))
