"""Writes of buckets and their configurations."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from buckets.models import Bucket, BucketConfiguration, Versioning
from buckets.names import is_valid_bucket_name
from s3protocol import errors

# The class of advisory locks that stand for a bucket's existence: a writer into the bucket holds its lock shared until
# it commits, whoever deletes the bucket holds it exclusively. Nothing is written for it, so busy buckets stay cool.
BUCKET_LOCK_CLASS = 0x6F62


def create_bucket(*, name: str, owner_id: str, region: str) -> Bucket:
    """Create a bucket.

    Raises InvalidBucketName; BucketAlreadyOwnedByYou or BucketAlreadyExists when the name is taken.
    """
    if not is_valid_bucket_name(name):
        raise errors.InvalidBucketName(BucketName=name)
    bucket, is_new = Bucket.objects.get_or_create(name=name, defaults={"owner_id": owner_id, "region": region})
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
    """Enable or suspend versioning. Writers see the new state from their next commit on."""
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        Bucket.objects.filter(pk=bucket_id).update(versioning=status)


def put_configuration(*, bucket_id: int, kind: str, document: Any) -> None:
    """Store a bucket's document of a kind, in place of an earlier one."""
    BucketConfiguration.objects.update_or_create(bucket_id=bucket_id, kind=kind, defaults={"document": document})


def delete_configuration(*, bucket_id: int, kind: str) -> None:
    """Remove a bucket's document of a kind, if there is one."""
    BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=kind).delete()
