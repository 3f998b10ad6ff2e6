"""`manage.py add_remote_store`: register another store that buckets can be replicated to."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import RegexValidator
from django.db import IntegrityError

from accesscontrol.management.account_arguments import add_account_arguments, chosen_account
from accesscontrol.outbound import OutboundRefused, open_connection
from buckets.services import add_remote_store
from events.arns import NAME_PATTERN


class Command(BaseCommand):
    """Register a store."""

    help = "Register another store, by the URL of its S3 and the keys to use there; print how configurations name it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="letters, digits, dashes and underscores")
        parser.add_argument("--url", required=True, help="http(s)://host:port")
        parser.add_argument("--access-key", required=True)
        parser.add_argument("--secret-key", required=True)
        parser.add_argument("--region", default="us-east-1")
        add_account_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Register it."""
        try:
            RegexValidator(rf"\A{NAME_PATTERN}\Z")(options["name"])
            open_connection(options["url"], timeout_seconds=1)  # connects to nothing yet
            store = add_remote_store(
                name=options["name"],
                url=options["url"].rstrip("/"),
                region=options["region"],
                access_key_id=options["access_key"],
                secret_key=options["secret_key"],
                **chosen_account(options),
            )
        except ValidationError:
            raise CommandError("the name: expected letters, digits, dashes and underscores, 63 at most") from None
        except OutboundRefused as error:
            raise CommandError(f"--url: {error}") from None
        except IntegrityError:
            raise CommandError(f"there is a store {options['name']!r} already") from None
        self.stdout.write(f"arn:objstore:s3::{store.name}:BUCKET")
