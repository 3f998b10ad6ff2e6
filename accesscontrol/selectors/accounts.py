"""Reads of accounts, as S3 shows them and as lists of grants name them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from accesscontrol.models import Account


@dataclass(frozen=True, slots=True)
class Owner:
    """An account as S3 shows it in listings and access control lists."""

    canonical_id: str
    display_name: str


@lru_cache(maxsize=10_000)
def find_owner(account_id: str) -> Owner:
    """Return how S3 shows an account. An account's canonical id never changes, so the answer is remembered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT canonical_id, display_name FROM accesscontrol_account WHERE id = %s", [account_id])
        row = cursor.fetchone()
    return Owner(*row) if row else Owner(account_id, "")


def find_account_by_canonical_id(canonical_id: str) -> str | None:
    """Return the account that a canonical id names, or None. One statement."""
    return _find_account_id("SELECT id FROM accesscontrol_account WHERE canonical_id = %s", canonical_id)


def find_account_by_email(email: str) -> str | None:
    """Return the account with an e-mail address, or None. One statement."""
    return _find_account_id("SELECT id FROM accesscontrol_account WHERE lower(email) = lower(%s)", email)


def find_public_access_block(account_id: str, *, keeps: bool = False) -> dict[str, bool] | None:
    """Return what all buckets of an account refuse to share with everyone, in S3's member names. One statement.

    With `keeps`, nobody changes it until the transaction ends.
    """
    accounts = Account.objects.select_for_update(no_key=True) if keeps else Account.objects
    return accounts.filter(pk=account_id).values_list("public_access_block", flat=True).first()


def _find_account_id(statement: str, name: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        row = cursor.fetchone()
    return row[0] if row else None
