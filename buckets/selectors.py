"""Reads of buckets."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from buckets.identified import PAGE_SIZE
from buckets.models import Bucket, BucketConfiguration, RemoteStore, Versioning
from s3protocol import errors

# What makes a BucketRecord, of a table that the statement calls b.
BUCKET_COLUMNS = """b.id, b.name, b.owner_id, b.region, b.versioning, b.history_seconds, b.created_at, b.is_lock_enabled,
       b.policy, b.acl, b.object_ownership, b.public_access_block,
       b.account_public_access_block, b.encryption, b.has_lifecycle_rules,
       b.is_requester_pays, b.tags, b.is_abac_enabled"""
BUCKET_COLUMN_COUNT = 18

# Plan: one probe of the unique index on name.
_FIND_BUCKET = f"SELECT {BUCKET_COLUMNS} FROM buckets_bucket b WHERE b.name = %s"  # noqa: S608  constants

# Plan: a range of the index buckets_by_owner.
_LIST_BUCKETS = f"""
SELECT {BUCKET_COLUMNS} FROM buckets_bucket b
 WHERE b.owner_id = %s AND b.name COLLATE "C" > %s AND b.name LIKE %s AND (%s = '' OR b.region = %s)
 ORDER BY b.name COLLATE "C" LIMIT %s
"""  # noqa: S608  constants


class BucketRecord(NamedTuple):  # which is made five times as fast as a frozen dataclass
    """What a request needs to know of a bucket. What decides about access is as it is stored."""

    id: int
    name: str
    owner_id: str
    region: str
    versioning: str
    history_seconds: int
    created_at: datetime
    is_lock_enabled: bool
    policy: str | None
    acl: str | None
    object_ownership: str
    public_access_block: str | None
    account_public_access_block: str | None
    encryption_text: str | None
    has_lifecycle_rules: bool
    is_requester_pays: bool
    tags: str | None
    is_abac_enabled: bool

    @property
    def encryption(self) -> dict[str, Any] | None:
        """Return the rule of PutBucketEncryption, or None."""
        return None if self.encryption_text is None else json.loads(self.encryption_text)

    @property
    def was_ever_versioned(self) -> bool:
        """Whether version ids mean anything here: versioning is enabled or suspended."""
        return self.versioning != Versioning.UNVERSIONED.value


def find_bucket(name: str) -> BucketRecord | None:
    """Return a bucket by name, or None. One statement."""
    row = connection.fetch_row(_FIND_BUCKET, [name])  # type: ignore[attr-defined]  # our engine's
    return BucketRecord(*row) if row else None


def list_buckets(*, owner_id: str, prefix: str, after: str, region: str, limit: int) -> list[BucketRecord]:
    """Return up to `limit` of an owner's buckets whose names follow `after`, in order. One statement."""
    pattern = prefix.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    with connection.cursor() as cursor:
        cursor.execute(_LIST_BUCKETS, [owner_id, after, pattern, region, region, limit])
        return [BucketRecord(*row) for row in cursor.fetchall()]


def find_default_retention(bucket_id: int) -> dict[str, Any] | None:
    """Return the retention that a bucket's new versions get, or None. One statement."""
    return Bucket.objects.filter(pk=bucket_id).values_list("default_retention", flat=True).first()


def find_configuration_by_name(bucket_name: str, kind: str) -> Any | None:
    """Return the document of a kind of the bucket of a name, or None. One statement."""
    documents = BucketConfiguration.objects.filter(bucket__name=bucket_name, kind=kind)
    return documents.values_list("document", flat=True).first()


def find_configuration(bucket_id: int, kind: str) -> Any | None:
    """Return a bucket's document of a kind, or None. One statement."""
    return BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).values_list("document", flat=True).first()


def find_identified_configuration(bucket_id: int, kind: str, name: str) -> Any:
    """Return one of a bucket's documents of a kind, by id. One statement. Raises NoSuchConfiguration."""
    documents = BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind, name=name)
    document = documents.values_list("document", flat=True).first()
    if document is None:
        raise errors.NoSuchConfiguration
    return document


def list_identified_configurations(bucket_id: int, kind: str, token: str | None) -> tuple[list[Any], str | None]:
    """Return a page of a bucket's documents of a kind, by id, and the token of the next page. One statement."""
    rows = BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).order_by("name")
    if token is not None:
        rows = rows.filter(name__gt=_decoded_token(token))
    found = list(rows.values_list("name", "document")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    following = urlsafe_b64encode(page[-1][0].encode()).decode() if len(found) > PAGE_SIZE else None
    return [document for _, document in page], following


def _decoded_token(token: str) -> str:
    try:
        return b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise errors.InvalidArgument(
            "The continuation token provided is incorrect", ArgumentName="continuation-token", ArgumentValue=token
        ) from None


def find_remote_store(name: str, *, account_id: str) -> RemoteStore | None:
    """Return an active store that the buckets of an account may be replicated to. One statement."""
    open_to_it = Q(is_shared=True) | Q(account_id=account_id)
    return RemoteStore.objects.filter(open_to_it, name=name, is_active=True).first()
