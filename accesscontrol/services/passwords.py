"""Writes of what an account demands of passwords, of its alias, and of its users' passwords for the console."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accesscontrol.models import Account, User
from s3protocol.query import errors

_SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")


def find_account(account_id: str) -> Account:
    """Return an account that is known to exist."""
    return Account.objects.get(pk=account_id)


def set_account_alias(*, account_id: str, alias: str) -> None:
    """Name an account; the former name goes. Raises EntityAlreadyExists."""
    try:
        with transaction.atomic():
            Account.objects.filter(pk=account_id).update(alias=alias)
    except IntegrityError:
        raise errors.EntityAlreadyExists(f"The account alias {alias} already exists.") from None


def delete_account_alias(*, account_id: str, alias: str) -> None:
    """Take an account's name away. Raises NoSuchEntity."""
    if not Account.objects.filter(pk=account_id, alias=alias).update(alias=None):
        raise errors.NoSuchEntity(f"The account alias {alias} cannot be found.")


def set_password_policy(*, account_id: str, policy: dict[str, Any] | None) -> None:
    """Say what an account's passwords must be like, from now on."""
    Account.objects.filter(pk=account_id).update(password_policy=policy)


def require_login_profile(user: User) -> None:
    """Raise NoSuchEntity for a user without a password."""
    if not user.has_usable_password():
        raise errors.NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")


@transaction.atomic
def create_login_profile(user: User, *, password: str) -> None:
    """Let a user sign in to the console. Raises EntityAlreadyExists, PasswordPolicyViolation."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.has_usable_password():
        raise errors.EntityAlreadyExists(f"Login Profile for user {user.name} already exists.")
    _set_password(locked, password)


@transaction.atomic
def update_login_profile(user: User, *, password: str | None) -> None:
    """Give a user another password. Raises NoSuchEntity, PasswordPolicyViolation."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    require_login_profile(locked)
    if password is not None:
        _set_password(locked, password)


@transaction.atomic
def delete_login_profile(user: User) -> None:
    """Let a user sign in no more; who is signed in is so no longer. Raises NoSuchEntity."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    require_login_profile(locked)
    locked.set_unusable_password()
    locked.is_staff = locked.is_superuser
    locked.save(update_fields=["password", "is_staff"])


@transaction.atomic
def change_password(user: User, *, old_password: str, new_password: str) -> None:
    """Change one's own password. Raises AccessDenied for a wrong old one, NoSuchEntity, PasswordPolicyViolation."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    require_login_profile(locked)
    if not locked.check_password(old_password):
        raise errors.AccessDenied("The old password was incorrect.")
    _set_password(locked, new_password)


def _set_password(user: User, password: str) -> None:
    _check_password(user, password)
    user.set_password(password)
    user.is_staff = True
    user.save(update_fields=["password", "is_staff"])


def _check_password(user: User, password: str) -> None:
    """Raise PasswordPolicyViolation for one that the account or the console refuses."""
    policy = user.account.password_policy or {}
    demands = {
        f"at least {policy.get('MinimumPasswordLength', 8)} characters": len(password)
        < policy.get("MinimumPasswordLength", 8),
        "a symbol": policy.get("RequireSymbols") and not _SYMBOLS & set(password),
        "a number": policy.get("RequireNumbers") and not any(c.isdecimal() for c in password),
        "an uppercase letter": policy.get("RequireUppercaseCharacters") and not any(c.isupper() for c in password),
        "a lowercase letter": policy.get("RequireLowercaseCharacters") and not any(c.islower() for c in password),
    }
    missing = [demand for demand, is_missing in demands.items() if is_missing]
    if missing:
        raise errors.PasswordPolicyViolation(f"The password needs {', '.join(missing)}.")
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise errors.PasswordPolicyViolation(" ".join(problem.messages)) from None
