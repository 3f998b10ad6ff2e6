"""What goes wrong, in S3's words."""

from __future__ import annotations

import logging

from django.db import InterfaceError, OperationalError

from buckets.errors import is_bucket_gone
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
    if is_bucket_gone(failure):
        return errors.NoSuchBucket()
    logger.error("request %s failed", request_id, exc_info=failure)
    return errors.InternalError()
