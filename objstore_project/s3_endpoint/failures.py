"""What goes wrong, in S3's words."""

from __future__ import annotations

import logging

from django.db import IntegrityError, InterfaceError, OperationalError
from psycopg.errors import ForeignKeyViolation

from buckets.models import Bucket
from chunks.errors import NotEnoughFragments
from s3protocol import errors

logger = logging.getLogger("objstore.s3")


def as_s3_error(failure: Exception, request_id: str) -> errors.S3Error:
    """Say a failure in S3's words, and log what is ours."""
    if isinstance(failure, errors.S3Error):
        return failure
    if isinstance(failure, OperationalError | InterfaceError):
        logger.warning("request %s: the database does not answer: %s", request_id, failure)
        return errors.ServiceUnavailable()
    if isinstance(failure, NotEnoughFragments):
        logger.error("request %s: %s", request_id, failure)
        return errors.ServiceUnavailable("Too few fragments of the object can be read at the moment.")
    if isinstance(failure, Bucket.DoesNotExist) or _misses_its_bucket(failure):
        return errors.NoSuchBucket()
    logger.error("request %s failed", request_id, exc_info=failure)
    return errors.InternalError()


def _misses_its_bucket(failure: Exception) -> bool:
    """Say whether a row was refused because a rival deleted its bucket a moment ago."""
    cause = failure.__cause__
    if not isinstance(failure, IntegrityError) or not isinstance(cause, ForeignKeyViolation):
        return False
    return 'table "buckets_bucket"' in (cause.diag.message_detail or "")
