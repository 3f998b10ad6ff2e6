"""Reads of share links, and what they give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from accesscontrol.authorization import decide
from accesscontrol.policy import Decision
from accesscontrol.request_facts import RequestFacts
from accesscontrol.selectors import principal_of_user
from buckets.selectors import BucketRecord, find_bucket
from objects.listing import walk_bounds
from objects.selectors.listing import ListedObject, list_objects
from objects.selectors.lookup import VersionRecord, look_up
from sharing.models import ShareLink
from sharing.services import token_hash

PAGE_SIZE = 500


def find_share_link(token: str) -> ShareLink | None:
    """Return the link of a token, alive or not. One statement."""
    links = ShareLink.objects.select_related("bucket", "creator", "creator__account")
    return links.filter(token_hash=token_hash(token)).first()


def why_ended(link: ShareLink, now: datetime) -> str | None:
    """Say why a link gives nothing any more; None for one that does."""
    if link.revoked_at is not None:
        return "was revoked"
    if link.expires_at is not None and link.expires_at <= now:
        return "has expired"
    if link.downloads_max is not None and link.download_count >= link.downloads_max:
        return "has had all its downloads"
    if not link.creator.is_active:
        return "was made by somebody who may not share any more"
    return None


@dataclass(frozen=True, slots=True)
class SharedVersion:
    """What a link leads to: the bucket, the version that is there (or None), and the decision about its maker."""

    bucket: BucketRecord
    version: VersionRecord | None
    decision: Decision


def open_shared(link: ShareLink, key: str, facts: RequestFacts) -> SharedVersion | None:
    """Look up a key of a link, and decide whether who made the link may read it now. None where the bucket is gone."""
    version_id = link.version_id or None
    found = look_up(link.bucket.name, key, version_id)
    if found is None or found.bucket.id != link.bucket_id:
        return None
    version = None if found.version is None or found.version.is_delete_marker else found.version
    decision = decide(
        principal_of_user(link.creator),
        action="s3:GetObjectVersion" if version_id else "s3:GetObject",
        bucket=found.bucket,
        key=key,
        version=version,
        facts=facts,
    )
    return SharedVersion(found.bucket, version, decision)


def decide_listing(link: ShareLink, prefix: str, facts: RequestFacts) -> Decision | None:
    """Decide whether who made a link may list below a prefix now. None where the bucket is gone."""
    bucket = find_bucket(link.bucket.name)
    if bucket is None or bucket.id != link.bucket_id:
        return None
    return decide(
        principal_of_user(link.creator),
        action="s3:ListBucket",
        bucket=bucket,
        facts=facts,
        stated={"s3:prefix": prefix},
    )


def list_shared(link: ShareLink, prefix: str, after: str) -> tuple[list[ListedObject], bool]:
    """List a page below a prefix link; `prefix` and `after` are whole keys. One statement."""
    bounds = walk_bounds(prefix=prefix, delimiter="/", after=after)
    return list_objects(bucket_id=link.bucket_id, bounds=bounds, limit=PAGE_SIZE)


def list_share_links(*, account_id: str | None, bucket_id: int | None = None) -> QuerySet[ShareLink]:
    """Return links that an account's users made, or that give of its buckets; None: everybody's, for operators."""
    links = ShareLink.objects.select_related("bucket", "creator")
    if account_id is not None:
        links = links.filter(creator__account_id=account_id) | links.filter(bucket__owner_id=account_id)
    if bucket_id is not None:
        links = links.filter(bucket_id=bucket_id)
    return links.order_by("-created_at", "-pk")


def documents(links: Iterable[ShareLink]) -> list[dict[str, Any]]:
    """Render links for programs."""
    now = datetime.now(UTC)
    return [
        {
            "id": link.pk,
            "bucket": link.bucket.name,
            "key": link.key,
            "is_prefix": link.is_prefix,
            "version_id": link.version_id,
            "creator": link.creator.get_username(),
            "label": link.label,
            "has_password": bool(link.password),
            "created_at": link.created_at.isoformat(),
            "expires_at": None if link.expires_at is None else link.expires_at.isoformat(),
            "downloads_max": link.downloads_max,
            "download_count": link.download_count,
            "ended": why_ended(link, now),
        }
        for link in links
    ]
