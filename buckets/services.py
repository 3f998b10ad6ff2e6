"""Writes of buckets and their configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from buckets.models import Bucket, BucketConfiguration, Versioning
from buckets.names import is_valid_bucket_name
from s3protocol import errors

# The class of advisory locks that stand for a bucket's existence: a writer into the bucket holds its lock shared until
# it commits, whoever deletes the bucket holds it exclusively. Nothing is written for it, so busy buckets stay cool.
BUCKET_LOCK_CLASS = 0x6F62


def create_bucket(*, name: str, owner_id: str, region: str, is_lock_enabled: bool = False) -> Bucket:
    """Create a bucket; one whose versions can be locked is versioned from the start.

    Raises InvalidBucketName; BucketAlreadyOwnedByYou or BucketAlreadyExists when the name is taken.
    """
    if not is_valid_bucket_name(name):
        raise errors.InvalidBucketName(BucketName=name)
    defaults = {
        "owner_id": owner_id,
        "region": region,
        "is_lock_enabled": is_lock_enabled,
        "versioning": Versioning.ENABLED if is_lock_enabled else Versioning.UNVERSIONED,
    }
    bucket, is_new = Bucket.objects.get_or_create(name=name, defaults=defaults)
    if is_new:
        return bucket
    if bucket.owner_id == owner_id:
        raise errors.BucketAlreadyOwnedByYou(BucketName=name)
    raise errors.BucketAlreadyExists(BucketName=name)


def lock_bucket_exclusively(bucket_id: int) -> None:
    """Wait for the bucket's writers to finish and keep new ones out until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [BUCKET_LOCK_CLASS, bucket_id])


def lock_bucket_shared(bucket_id: int) -> None:
    """Keep the bucket from being deleted until this transaction ends. Raises NoSuchBucket when it is gone already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, hashint8(%s))", [BUCKET_LOCK_CLASS, bucket_id])
        cursor.execute("SELECT 1 FROM buckets_bucket WHERE id = %s", [bucket_id])
        if cursor.fetchone() is None:
            raise errors.NoSuchBucket


def put_bucket_versioning(*, bucket_id: int, status: Versioning) -> None:
    """Enable or suspend versioning. Writers see the new state from their next commit on.

    Raises InvalidBucketState where versions can be locked: their protection rests on versioning.
    """
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        bucket = Bucket.objects.get(pk=bucket_id)
        if bucket.is_lock_enabled and status != Versioning.ENABLED:
            raise errors.InvalidBucketState(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        Bucket.objects.filter(pk=bucket_id).update(versioning=status)


def put_object_lock_configuration(*, bucket_id: int, default_retention: Mapping[str, Any] | None) -> None:
    """Let versions be locked from now on, and set what new ones get by default (None: nothing).

    Raises InvalidBucketState unless versioning is enabled.
    """
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        changed = Bucket.objects.filter(pk=bucket_id, versioning=Versioning.ENABLED).update(
            is_lock_enabled=True, default_retention=default_retention
        )
    if not changed:
        raise errors.InvalidBucketState(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        )


def put_configuration(*, bucket_id: int, kind: str, document: Any) -> None:
    """Store a bucket's document of a kind, in place of an earlier one."""
    BucketConfiguration.objects.update_or_create(bucket_id=bucket_id, kind=kind, defaults={"document": document})


def delete_configuration(*, bucket_id: int, kind: str) -> None:
    """Remove a bucket's document of a kind, if there is one."""
    BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).delete()
