"""A bucket's history window, which S3 has no words for."""

from __future__ import annotations

from buckets.models import Bucket


def put_bucket_history(*, bucket_id: int, history_seconds: int) -> None:
    """Set how long overwritten and deleted versions stay recoverable; it holds for those in history already, too."""
    Bucket.objects.filter(pk=bucket_id).update(history_seconds=history_seconds)
