"""Delete a bucket. It stands here because only this floor knows whether a bucket is empty."""

from __future__ import annotations

from django.db import connection, transaction

from buckets.models import Bucket
from buckets.services import lock_bucket_exclusively
from objects.models import Object
from s3protocol import errors


def delete_bucket(*, bucket_id: int) -> None:
    """Delete a bucket in which S3 sees nothing. Raises BucketNotEmpty, NoSuchBucket.

    What its history and its unfinished uploads hold is left to the collector, which finds them by the missing bucket.
    """
    with transaction.atomic():
        lock_bucket_exclusively(bucket_id)
        if Object.objects.filter(bucket_id=bucket_id, current_version__isnull=False).exists():
            raise errors.BucketNotEmpty
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM buckets_bucketconfiguration WHERE bucket_id = %s", [bucket_id])
        if not Bucket.objects.filter(pk=bucket_id).delete()[0]:
            raise errors.NoSuchBucket
