"""Writes of accounts, users and keys."""

from __future__ import annotations

import secrets as random_secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models, transaction

from accesscontrol import secrets, selectors
from accesscontrol.errors import AccountConflict, InvalidAccount
from accesscontrol.models import AccessKey, Account, User
from accesscontrol.public_access import PublicAccessBlock

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
    return "AKIA" + "".join(random_secrets.choice(_KEY_ALPHABET) for _ in range(16))


def generate_session_key_id() -> str:
    """Draw the access key id of a session."""
    return "ASIA" + "".join(random_secrets.choice(_KEY_ALPHABET) for _ in range(16))


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

    Raises AccountConflict when the name, e-mail, canonical id or access key belongs to something else, InvalidAccount
    for what cannot be one of those.
    """
    _check(Account(name=name, email=email, canonical_id=canonical_id or "0", display_name=display_name or ""))
    if access_key is not None:
        _check(AccessKey(access_key_id=access_key), exclude={"user", "sealed_secret_key"})
    if username is not None:
        _check(User(username=username, name="root"), exclude={"account", "password"})
    account = _get_or_create_account(name=name, email=email, canonical_id=canonical_id, display_name=display_name)
    user = User.objects.filter(account=account, is_root=True).first()
    if user is None:
        if User.objects.filter(username=username or name).exists():
            raise AccountConflict(f"another user signs in as {username or name}")
        user = User.objects.create(account=account, is_root=True, username=username or name, name="root")
    key = _get_or_create_key(user, access_key=access_key, secret_key=secret_key)
    selectors.forget_cached_keys()
    return AccountKeys(account, user, key.access_key_id, secrets.unseal(key.sealed_secret_key))


def _check(row: models.Model, exclude: Iterable[str] = ()) -> None:
    """Raise InvalidAccount, in one line, for what no row can hold."""
    try:
        row.clean_fields(exclude=set(exclude))
    except ValidationError as problem:
        complaints = [f"{name}: {' '.join(texts)}" for name, texts in problem.message_dict.items()]
        raise InvalidAccount("; ".join(complaints)) from None


def _get_or_create_account(*, name: str, email: str, canonical_id: str | None, display_name: str | None) -> Account:
    account = Account.objects.select_for_update().filter(name=name).first()
    if account is None:
        if Account.objects.filter(email=email).exists():
            raise AccountConflict(f"another account has the e-mail address {email}")
        if canonical_id and Account.objects.filter(canonical_id=canonical_id).exists():
            raise AccountConflict(f"another account has the canonical id {canonical_id}")
        if canonical_id and Account.objects.filter(pk=canonical_id).exists():
            raise AccountConflict(f"{canonical_id} is the id of another account")
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


def set_public_access_block(*, account_id: str, block: PublicAccessBlock | None) -> dict[str, bool] | None:
    """Write down what all buckets of an account refuse to share with everyone, and return it as it is stored. One statement.

    It counts once `buckets.services.put_account_public_access_block`, whose part this is, has told the buckets.
    """
    document = None if block is None else block.document()
    Account.objects.filter(pk=account_id).update(public_access_block=document)
    return document
