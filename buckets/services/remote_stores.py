"""Writes of other stores that buckets can be replicated to, and their secret keys."""

from __future__ import annotations

from django.db import transaction

from accesscontrol.secrets import seal, unseal
from buckets.models import RemoteStore

REMOTE_PURPOSE = b"objstore remote stores"


def add_remote_store(
    *,
    name: str,
    url: str,
    region: str,
    access_key_id: str,
    secret_key: str,
    account_id: str = "",
    is_shared: bool = False,
) -> RemoteStore:
    """Register another store, for an account or for all; the secret key is sealed. Connects to nothing.

    Raises IntegrityError for a name twice.
    """
    sealed = seal(secret_key, purpose=REMOTE_PURPOSE)
    with transaction.atomic():
        return RemoteStore.objects.create(
            name=name,
            url=url,
            region=region,
            access_key_id=access_key_id,
            sealed_secret_key=sealed,
            account_id=account_id,
            is_shared=is_shared,
        )


def remote_secret_key(store: RemoteStore) -> str:
    """Open the secret key of another store. Raises SecretUnreadable."""
    return unseal(store.sealed_secret_key, purpose=REMOTE_PURPOSE)
