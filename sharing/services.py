"""Writes of share links."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accesscontrol.models import User
from sharing.models import ShareLink

TOKEN_BYTES = 24
PASSWORD_HASHER = "scrypt"  # noqa: S105  the name of a method
PASSWORD_LENGTH_MAX = 128


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link and its token, which is shown once and kept nowhere."""

    link: ShareLink
    token: str


def token_hash(token: str) -> bytes:
    """Return what of a token is stored. The token is 192 random bits: no salt, no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def create_share_link(
    *,
    bucket_id: int,
    key: str,
    is_prefix: bool,
    creator: User,
    version_id: str = "",
    label: str = "",
    password: str = "",
    expires_at: datetime | None = None,
    downloads_max: int | None = None,
) -> NewLink:
    """Make a link; whoever calls has decided that the creator may read what it shares."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = ShareLink.objects.create(
        token_hash=token_hash(token),
        bucket_id=bucket_id,
        key=key,
        is_prefix=is_prefix,
        version_id=version_id,
        creator=creator,
        label=label,
        password=make_password(password, hasher=PASSWORD_HASHER) if password else "",
        expires_at=expires_at,
        downloads_max=downloads_max,
    )
    return NewLink(link, token)


def revoke_share_link(*, link_id: int) -> bool:
    """End a link. Say whether it was not revoked before."""
    return bool(ShareLink.objects.filter(pk=link_id, revoked_at=None).update(revoked_at=Now()))


def count_download(*, link_id: int) -> bool:
    """Count a download before it begins; False where the link has ended: revoked, expired, or used up.

    One filtered update: of rivals for the last download, one finds the row unchanged.
    """
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=Now()))
    left = Q(downloads_max=None) | Q(download_count__lt=F("downloads_max"))
    with transaction.atomic():
        return bool(
            ShareLink.objects.filter(live, left, pk=link_id).update(
                download_count=F("download_count") + 1, last_download_at=Now()
            )
        )
