"""`manage.py add_storage_class`: make a class that clients may ask for."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chunks.errors import BadStorageClass
from chunks.management.storage_class_arguments import add_arguments, given_columns
from chunks.services import add_storage_class
from chunks.topology import refresh


class Command(BaseCommand):
    """Make one storage class."""

    help = "Make a storage class. Clients may ask for it within seconds, and lifecycle rules move objects to it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say what objects of the class become."""
        try:
            row = add_storage_class(name=options["name"], **given_columns(options))
        except BadStorageClass as error:
            raise CommandError(str(error)) from error
        entry = refresh().storage_class(row.name)
        self.stdout.write(f"{row.name}: {entry}")
