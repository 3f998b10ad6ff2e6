"""Make, stop and restart the access keys of a user."""

from __future__ import annotations

from dataclasses import dataclass

from accesscontrol import secrets, selectors
from accesscontrol.models import AccessKey, User
from accesscontrol.services import generate_access_key_id, generate_secret_key


@dataclass(frozen=True, slots=True)
class NewAccessKey:
    """A key pair in the clear, as it is shown once to whoever made it."""

    row: AccessKey
    secret_key: str


def create_access_key(*, user: User) -> NewAccessKey:
    """Give a user another key pair."""
    secret_key = generate_secret_key()
    row = AccessKey.objects.create(
        access_key_id=generate_access_key_id(), sealed_secret_key=secrets.seal(secret_key), user=user
    )
    return NewAccessKey(row, secret_key)


def set_access_key_active(*, access_key_row: int, is_active: bool) -> None:
    """Let a key be used or not; other processes hear of it within selectors.KEY_CACHE_SECONDS."""
    AccessKey.objects.filter(pk=access_key_row).update(is_active=is_active)
    selectors.forget_cached_keys()


def set_user_active(*, user_row: int, is_active: bool) -> None:
    """Let a user sign in and its keys be used, or neither."""
    User.objects.filter(pk=user_row).update(is_active=is_active)
    selectors.forget_cached_keys()
