"""GetBucketReplication, PutBucketReplication, DeleteBucketReplication."""

from __future__ import annotations

import secrets
from typing import Any

from buckets import selectors, services
from buckets.context import RequestContext
from buckets.replication import KIND, checked_document
from buckets.storage_classes import WARM_TO_COLD
from s3protocol import errors
from s3protocol.registry import operation


@operation("GetBucketReplication", action="s3:GetReplicationConfiguration")
def get_bucket_replication(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Return where the bucket is replicated to."""
    document = selectors.find_configuration(context.bucket.id, KIND)
    if document is None:
        raise errors.ReplicationConfigurationNotFoundError(BucketName=bucket)
    return {"ReplicationConfiguration": document}


@operation(
    "PutBucketReplication",
    action="s3:PutReplicationConfiguration",
    harmless={"Token": "AWS asks for it where a bucket with object lock is replicated; it no longer does"},
)
def put_bucket_replication(
    context: RequestContext, *, bucket: str, replication_configuration: dict[str, Any]
) -> dict[str, Any]:
    """Replicate what is written from now on into other buckets of this store."""
    document = checked_document(
        replication_configuration, new_id=lambda: secrets.token_hex(16), storage_classes=WARM_TO_COLD
    )
    services.put_bucket_replication(bucket_id=context.bucket.id, document=document)
    return {}


@operation("DeleteBucketReplication", action="s3:PutReplicationConfiguration")
def delete_bucket_replication(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Replicate nothing of what is written from now on."""
    services.put_bucket_replication(bucket_id=context.bucket.id, document=None)
    return {}
