"""Writes of accounts, users and keys."""

from __future__ import annotations

import secrets as random_secrets
import string
from dataclasses import dataclass

from django.db import transaction

from accesscontrol import secrets, selectors
from accesscontrol.errors import AccountConflict
from accesscontrol.models import AccessKey, Account, User

ROOT_ACCOUNT_NAME = "root"
_KEY_ALPHABET = string.ascii_uppercase + "234567"
_SECRET_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """An account with its root user's key pair in the clear, as it is shown once to whoever created it."""

    account: Account
    user: User
    access_key_id: str
    secret_key: str


def generate_access_key_id() -> str:
    """Draw a new access key id: 20 characters from base 32, in AWS's form."""
    return "AK" + "".join(random_secrets.choice(_KEY_ALPHABET) for _ in range(18))


def generate_secret_key() -> str:
    """Draw a new secret key: 40 letters and digits (238 bits)."""
    return "".join(random_secrets.choice(_SECRET_ALPHABET) for _ in range(40))


@transaction.atomic
def create_account(
    *,
    name: str,
    email: str,
    access_key: str | None = None,
    secret_key: str | None = None,
    canonical_id: str | None = None,
    display_name: str | None = None,
    username: str | None = None,
) -> AccountKeys:
    """Create an account whose root user holds the key pair; do nothing but answer when it is there already.

    Raises AccountConflict when the name, e-mail, canonical id or access key belongs to something else.
    """
    account = _get_or_create_account(name=name, email=email, canonical_id=canonical_id, display_name=display_name)
    user, _ = User.objects.get_or_create(
        account=account, is_root=True, defaults={"username": username or name, "name": "root"}
    )
    key = _get_or_create_key(user, access_key=access_key, secret_key=secret_key)
    selectors.forget_cached_keys()
    return AccountKeys(account, user, key.access_key_id, secrets.unseal(key.sealed_secret_key))


def _get_or_create_account(*, name: str, email: str, canonical_id: str | None, display_name: str | None) -> Account:
    account = Account.objects.select_for_update().filter(name=name).first()
    if account is None:
        if Account.objects.filter(email=email).exists():
            raise AccountConflict(f"another account has the e-mail address {email}")
        if canonical_id and Account.objects.filter(canonical_id=canonical_id).exists():
            raise AccountConflict(f"another account has the canonical id {canonical_id}")
        account = Account(name=name, email=email, display_name=display_name or name)
        if canonical_id:
            account.canonical_id = canonical_id
        account.save(force_insert=True)
        return account
    if account.email != email or (canonical_id and account.canonical_id != canonical_id):
        raise AccountConflict(f"the account {name} exists with another e-mail address or canonical id")
    if display_name and account.display_name != display_name:
        account.display_name = display_name
        account.save(update_fields=["display_name"])
    return account


def _get_or_create_key(user: User, *, access_key: str | None, secret_key: str | None) -> AccessKey:
    if access_key is None:
        key = user.access_keys.filter(is_active=True).order_by("created_at").first()
        if key is not None and secret_key is None:
            return key
    key = AccessKey.objects.filter(access_key_id=access_key).first()
    if key is None:
        return AccessKey.objects.create(
            access_key_id=access_key or generate_access_key_id(),
            sealed_secret_key=secrets.seal(secret_key or generate_secret_key()),
            user=user,
        )
    if key.user_id != user.pk:
        raise AccountConflict(f"the access key {access_key} belongs to another user")
    if secret_key is not None and secrets.unseal(key.sealed_secret_key) != secret_key:
        key.sealed_secret_key = secrets.seal(secret_key)
        key.save(update_fields=["sealed_secret_key"])
    return key


@dataclass(frozen=True, slots=True)
class RootCredentials:
    """What a newcomer needs to start: the root account's key pair and the console's first user."""

    access_key: str
    secret_key: str
    admin_user: str
    admin_password: str


@transaction.atomic
def ensure_root(*, access_key: str, secret_key: str, admin_user: str, admin_password: str) -> RootCredentials:
    """Make sure that the root account and the console's first user exist with exactly these credentials."""
    keys = create_account(
        name=ROOT_ACCOUNT_NAME,
        email="root@localhost",
        access_key=access_key,
        secret_key=secret_key,
        username=admin_user,
    )
    user = keys.user
    user.username = admin_user
    user.is_staff = user.is_superuser = True
    if not user.check_password(admin_password):
        user.set_password(admin_password)
    user.save()
    return RootCredentials(access_key, secret_key, admin_user, admin_password)
