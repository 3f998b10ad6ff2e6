"""Writes of access keys, and of when they were last used."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import connection, transaction

from accesscontrol import secrets
from accesscontrol.models import AccessKey, User
from accesscontrol.principal import Principal, SessionKind
from accesscontrol.selectors import forget_cached_keys
from accesscontrol.selectors.iam import find_access_key
from accesscontrol.services.accounts import generate_access_key_id, generate_secret_key
from s3protocol.query import errors

KEYS_PER_USER_MAX = 2
LAST_USED_SECONDS = 60.0
_LAST_USED_SIZE_MAX = 10_000

# Rivals are other processes that saw the key used: whoever comes second, or meets a locked row, leaves it.
_NOTE_KEY = """
UPDATE accesscontrol_accesskey SET last_used_at = now(), last_used_service = %s, last_used_region = %s
 WHERE id = (SELECT id FROM accesscontrol_accesskey
              WHERE access_key_id = %s AND (last_used_at IS NULL OR last_used_at < now() - interval '30 seconds')
                FOR UPDATE SKIP LOCKED)
"""
_NOTE_ROLE = """
UPDATE accesscontrol_role SET last_used_at = now(), last_used_region = %s
 WHERE id = (SELECT id FROM accesscontrol_role
              WHERE unique_id = %s AND (last_used_at IS NULL OR last_used_at < now() - interval '30 seconds')
                FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class NewAccessKey:
    """A key pair in the clear, as it is shown once to whoever made it."""

    row: AccessKey
    secret_key: str


@transaction.atomic
def create_access_key(*, user: User) -> NewAccessKey:
    """Give a user another key pair. Raises LimitExceeded."""
    User.objects.select_for_update().get(pk=user.pk)
    if user.access_keys.count() >= KEYS_PER_USER_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_PER_USER_MAX}")
    secret_key = generate_secret_key()
    row = AccessKey.objects.create(
        access_key_id=generate_access_key_id(), sealed_secret_key=secrets.seal(secret_key), user=user
    )
    row.refresh_from_db(fields=["created_at"])
    return NewAccessKey(row, secret_key)


def set_access_key_status(*, user: User, access_key_id: str, is_active: bool) -> None:
    """Let a key be used or not; other processes follow within selectors.KEY_CACHE_SECONDS. Raises NoSuchEntity."""
    key = find_access_key(user, access_key_id)
    AccessKey.objects.filter(pk=key.pk).update(is_active=is_active)
    forget_cached_keys()


def delete_access_key(*, user: User, access_key_id: str) -> None:
    """Delete a key. Raises NoSuchEntity."""
    find_access_key(user, access_key_id).delete()
    forget_cached_keys()


_last_noted: dict[str, float] = {}


def note_use(principal: Principal, *, service: str, region: str) -> None:
    """Note that a key, or the role of a session, was used: at most once in LAST_USED_SECONDS for each process.

    Cost: as good as none; once a minute one statement that waits for nobody.
    """
    session = principal.session
    name = principal.access_key_id if session is None else session.issuer_id
    if name is None or (session is not None and session.kind is not SessionKind.ROLE):
        return
    now = time.monotonic()
    if now < _last_noted.get(name, float("-inf")) + LAST_USED_SECONDS:
        return
    if len(_last_noted) >= _LAST_USED_SIZE_MAX:
        _last_noted.clear()
    _last_noted[name] = now
    with connection.cursor() as cursor:
        if session is None:
            cursor.execute(_NOTE_KEY, [service, region[:64], name])
        else:
            cursor.execute(_NOTE_ROLE, [region[:64], name])
