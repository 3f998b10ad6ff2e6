"""`manage.py create_account`: an account whose root user holds a key pair, made once and answered ever after."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accesscontrol.errors import AccountConflict, InvalidAccount
from accesscontrol.services import AccountKeys, create_account


class Command(BaseCommand):
    """Create an account, idempotently."""

    help = "Create an account whose root user holds an access key; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--email", required=True)
        parser.add_argument("--access-key")
        parser.add_argument("--secret-key")
        parser.add_argument("--canonical-id")
        parser.add_argument("--display-name")
        parser.add_argument("--json", action="store_true", help="print the account as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account and print it."""
        try:
            keys = create_account(
                name=options["name"],
                email=options["email"],
                access_key=options["access_key"],
                secret_key=options["secret_key"],
                canonical_id=options["canonical_id"],
                display_name=options["display_name"],
            )
        except (AccountConflict, InvalidAccount) as problem:
            raise CommandError(str(problem)) from None
        facts = _facts(keys)
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            for name, value in facts.items():
                self.stdout.write(f"{name}: {value}")


def _facts(keys: AccountKeys) -> dict[str, str]:
    return {
        "id": keys.account.pk,
        "name": keys.account.name,
        "email": keys.account.email,
        "display_name": keys.account.display_name,
        "canonical_id": keys.account.canonical_id,
        "access_key": keys.access_key_id,
        "secret_key": keys.secret_key,
    }
