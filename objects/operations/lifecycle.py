"""GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration, DeleteBucketLifecycle."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.lifecycle import DEFAULT_MINIMUM_SIZE, KIND, MINIMUM_SIZE, checked_document, shown_rules
from objects.storage_classes import known_storage_classes
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketLifecycleConfiguration", action="s3:GetLifecycleConfiguration")
def get_bucket_lifecycle_configuration(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return a bucket's rules."""
    document = selectors.find_configuration(context.bucket.id, KIND)
    if document is None:
        raise errors.NoSuchLifecycleConfiguration(BucketName=bucket)
    return {"Rules": shown_rules(document), MINIMUM_SIZE: document[MINIMUM_SIZE]}


def lifecycle_document(configuration: Mapping[str, Any], minimum_size: str | None) -> dict[str, Any]:
    """Return what is to be stored of a configuration and its TransitionDefaultMinimumObjectSize. Raises as `checked_document`."""
    document = checked_document(
        configuration,
        new_id=lambda: secrets.token_hex(16),
        storage_classes=known_storage_classes(),
        holds_minima=settings.OBJSTORE_TRANSITION_MINIMA == "s3",
    )
    return {**document, MINIMUM_SIZE: minimum_size or DEFAULT_MINIMUM_SIZE}


@operation("PutBucketLifecycleConfiguration", action="s3:PutLifecycleConfiguration")
def put_bucket_lifecycle_configuration(
    context: RequestContext,
    *,
    bucket: str,
    lifecycle_configuration: dict[str, Any],
    transition_default_minimum_object_size: str | None = None,
) -> dict[str, Any]:
    """Replace a bucket's rules. They are carried out at once, and then every day."""
    document = lifecycle_document(lifecycle_configuration, transition_default_minimum_object_size)
    services.put_bucket_lifecycle_configuration(bucket_id=context.bucket.id, document=document)
    return {MINIMUM_SIZE: document[MINIMUM_SIZE]}


@operation("DeleteBucketLifecycle", action="s3:PutLifecycleConfiguration")
def delete_bucket_lifecycle(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Remove a bucket's rules."""
    services.put_bucket_lifecycle_configuration(bucket_id=context.bucket.id, document=None)
    return {}
