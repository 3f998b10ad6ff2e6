"""The arguments of commands that register something for an account, or for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accesscontrol.models import Account
from accesscontrol.services import ROOT_ACCOUNT_NAME


def add_account_arguments(parser: CommandParser) -> None:
    """Declare `--account` and `--all-accounts`."""
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        "--account", default="", help="the id of the account whose buckets may use it; without: the root account"
    )
    whose.add_argument("--all-accounts", action="store_true", help="the buckets of every account may use it")


def chosen_account(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return `account_id` and `is_shared` as the arguments say. Raises CommandError for an account that there is not."""
    if options["all_accounts"]:
        return {"account_id": "", "is_shared": True}
    named = {"pk": options["account"]} if options["account"] else {"name": ROOT_ACCOUNT_NAME}
    account = Account.objects.filter(**named).first()
    if account is None:
        raise CommandError(f"there is no account {options['account'] or ROOT_ACCOUNT_NAME!r}")
    return {"account_id": account.pk, "is_shared": False}
