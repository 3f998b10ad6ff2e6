"""Writes of OpenID Connect providers. Nothing is fetched from one before a token of it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from accesscontrol.models import OidcProvider
from accesscontrol.services.identities import merged_tags
from s3protocol.query import errors

CLIENT_IDS_MAX = 100
THUMBPRINTS_MAX = 5
PROVIDERS_MAX = 100


@transaction.atomic
def create_provider(
    *,
    account_id: str,
    url: str,
    client_ids: Sequence[str],
    thumbprints: Sequence[str],
    tags: Sequence[Mapping[str, str]],
) -> OidcProvider:
    """Trust a provider. Raises ValidationError for what is no issuer's URL, EntityAlreadyExists, LimitExceeded."""
    _check_url(url)
    _check_counts(client_ids, thumbprints)
    if OidcProvider.objects.filter(account_id=account_id).count() >= PROVIDERS_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for OpenIdConnectProvidersPerAccount: {PROVIDERS_MAX}")
    provider = OidcProvider(
        account_id=account_id,
        url=url.removeprefix("https://"),
        client_ids=list(dict.fromkeys(client_ids)),
        thumbprints=list(thumbprints),
        tags=merged_tags({}, tags),
    )
    try:
        with transaction.atomic():
            provider.save(force_insert=True)
    except IntegrityError:
        raise errors.EntityAlreadyExists(f"Provider with url {url} already exists.") from None
    return provider


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise errors.ValidationError("Invalid Open ID Connect Provider URL") from None
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password) and port != 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain or not url.isascii():
        raise errors.ValidationError("Invalid Open ID Connect Provider URL")
    if any(character.isspace() or character in "*?'\"<>\\" for character in url):
        raise errors.ValidationError("Invalid Open ID Connect Provider URL")


def _check_counts(client_ids: Sequence[str], thumbprints: Sequence[str]) -> None:
    if len(client_ids) > CLIENT_IDS_MAX:
        raise errors.LimitExceeded(f"Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}")
    if len(thumbprints) > THUMBPRINTS_MAX:
        raise errors.InvalidInput("Thumbprint list must contain fewer than 5 entries.")


@transaction.atomic
def change_client_ids(provider: OidcProvider, *, added: str | None = None, removed: str | None = None) -> None:
    """Add or remove an audience; nothing happens twice. Raises LimitExceeded."""
    locked = OidcProvider.objects.select_for_update().get(pk=provider.pk)
    client_ids = [client_id for client_id in locked.client_ids if client_id != removed]
    if added is not None and added not in client_ids:
        client_ids.append(added)
    _check_counts(client_ids, ())
    locked.client_ids = client_ids
    locked.save(update_fields=["client_ids"])


def replace_thumbprints(provider: OidcProvider, thumbprints: Sequence[str]) -> None:
    """Replace the thumbprints. Raises InvalidInput."""
    _check_counts((), thumbprints)
    OidcProvider.objects.filter(pk=provider.pk).update(thumbprints=list(thumbprints))
