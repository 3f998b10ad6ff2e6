"""The default encryption of a bucket."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from buckets import services
from buckets.context import RequestContext
from buckets.encryption import DEFAULT_RULE, checked_rule
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketEncryption", action="s3:GetEncryptionConfiguration")
def get_bucket_encryption(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return how objects are encrypted that ask for nothing."""
    rule = context.bucket.encryption
    if rule is None and settings.OBJSTORE_DEFAULT_ENCRYPTION != "none":
        rule = DEFAULT_RULE
    if rule is None:
        raise errors.ServerSideEncryptionConfigurationNotFoundError(BucketName=bucket)
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


@operation("PutBucketEncryption", action="s3:PutEncryptionConfiguration")
def put_bucket_encryption(
    context: RequestContext, *, bucket: str, server_side_encryption_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Say how objects are encrypted that ask for nothing. Those that are there stay as they are."""
    services.put_bucket_encryption(bucket_id=context.bucket.id, rule=checked_rule(server_side_encryption_configuration))
    return {}


@operation("DeleteBucketEncryption", action="s3:PutEncryptionConfiguration")
def delete_bucket_encryption(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return to the installation's default."""
    services.put_bucket_encryption(bucket_id=context.bucket.id, rule=None)
    return {}
