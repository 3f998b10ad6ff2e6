"""What goes wrong with buckets beside what S3 has a word for."""

from __future__ import annotations

from django.db import IntegrityError
from psycopg.errors import ForeignKeyViolation

from buckets.models import Bucket
from s3protocol import errors


def is_bucket_gone(failure: BaseException) -> bool:
    """Say whether something failed because a rival deleted its bucket a moment ago."""
    if isinstance(failure, Bucket.DoesNotExist | errors.NoSuchBucket):
        return True
    cause = failure.__cause__
    if not isinstance(failure, IntegrityError) or not isinstance(cause, ForeignKeyViolation):
        return False
    return 'table "buckets_bucket"' in (cause.diag.message_detail or "")
