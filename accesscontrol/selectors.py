"""Reads of accounts and keys.

A key is looked up on every signed request, so a found one is remembered for KEY_CACHE_SECONDS in each process; that is
the longest that a revoked key goes on working. An unknown key is never remembered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

from django.db import connection

from accesscontrol import secrets
from accesscontrol.principal import Principal

KEY_CACHE_SECONDS = 2.0
KEY_CACHE_SIZE_MAX = 10_000

# Plan: three primary-key or unique-index probes.
_FIND_KEY = """
SELECT k.sealed_secret_key, u.id, u.name, u.is_root, a.id, a.canonical_id, a.display_name
  FROM accesscontrol_accesskey k
  JOIN accesscontrol_user u ON u.id = k.user_id
  JOIN accesscontrol_account a ON a.id = u.account_id
 WHERE k.access_key_id = %s AND k.is_active AND u.is_active
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A principal with the secret key that its requests are signed with."""

    principal: Principal
    secret_key: str


@dataclass(frozen=True, slots=True)
class Owner:
    """An account as S3 shows it in listings and access control lists."""

    canonical_id: str
    display_name: str


_key_cache: dict[str, tuple[float, Credentials]] = {}


def find_credentials(access_key_id: str) -> Credentials | None:
    """Return an active key's credentials, or None. Cost: one statement, none when remembered."""
    now = time.monotonic()
    cached = _key_cache.get(access_key_id)
    if cached is not None and now < cached[0]:
        return cached[1]
    credentials = _load_credentials(access_key_id)
    if credentials is None:
        _key_cache.pop(access_key_id, None)
        return None
    if len(_key_cache) >= KEY_CACHE_SIZE_MAX:
        _key_cache.clear()
    _key_cache[access_key_id] = (now + KEY_CACHE_SECONDS, credentials)
    return credentials


def _load_credentials(access_key_id: str) -> Credentials | None:
    with connection.cursor() as cursor:
        cursor.execute(_FIND_KEY, [access_key_id])
        row = cursor.fetchone()
    if row is None:
        return None
    sealed, user_id, user_name, is_root, account_id, canonical_id, display_name = row
    principal = Principal(account_id, canonical_id, display_name, user_id, user_name, is_root, access_key_id)
    return Credentials(principal, secrets.unseal(sealed))


def forget_cached_keys() -> None:
    """Drop this process's remembered keys, after a key was changed here."""
    _key_cache.clear()
    find_owner.cache_clear()


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


def _find_account_id(statement: str, name: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        row = cursor.fetchone()
    return row[0] if row else None
