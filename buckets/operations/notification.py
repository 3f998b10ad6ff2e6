"""GetBucketNotificationConfiguration and PutBucketNotificationConfiguration, also under their old names."""

from __future__ import annotations

import secrets
from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.notification import KIND, checked_document
from s3protocol.registry import operation


@operation("GetBucketNotificationConfiguration", action="s3:GetBucketNotification")
def get_bucket_notification_configuration(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return who is told of what happens in the bucket; nothing where nobody is."""
    return selectors.find_configuration(context.bucket.id, KIND) or {}


@operation("PutBucketNotificationConfiguration", action="s3:PutBucketNotification")
def put_bucket_notification_configuration(
    context: RequestContext,
    *,
    bucket: str,
    notification_configuration: dict[str, Any],
    skip_destination_validation: bool | None = None,
) -> dict[str, Any]:
    """Replace who is told of what happens in the bucket. Each target gets a test event, unless that is to be skipped."""
    services.put_bucket_notification_configuration(
        bucket_id=context.bucket.id,
        document=checked_document(notification_configuration, new_id=lambda: secrets.token_hex(16)),
        tells_targets=not skip_destination_validation,
    )
    return {}
