"""Writes of buckets and their configurations, of their tags, and of other stores."""

from buckets.services.buckets import (
    create_bucket,
    delete_configuration,
    delete_identified_configuration,
    lock_bucket_exclusively,
    lock_bucket_shared,
    put_bucket_acl,
    put_bucket_encryption,
    put_bucket_lifecycle_configuration,
    put_bucket_logging,
    put_bucket_notification_configuration,
    put_bucket_ownership_controls,
    put_bucket_policy,
    put_bucket_replication,
    put_bucket_request_payment,
    put_bucket_versioning,
    put_configuration,
    put_identified_configuration,
    put_object_lock_configuration,
    put_public_access_block,
)
from buckets.services.remote_stores import (
    add_remote_store,
    remote_secret_key,
)
from buckets.services.tags import (
    change_bucket_tags,
    put_bucket_abac,
    put_bucket_tagging,
)

__all__ = [
    "add_remote_store",
    "change_bucket_tags",
    "create_bucket",
    "delete_configuration",
    "delete_identified_configuration",
    "lock_bucket_exclusively",
    "lock_bucket_shared",
    "put_bucket_abac",
    "put_bucket_acl",
    "put_bucket_encryption",
    "put_bucket_lifecycle_configuration",
    "put_bucket_logging",
    "put_bucket_notification_configuration",
    "put_bucket_ownership_controls",
    "put_bucket_policy",
    "put_bucket_replication",
    "put_bucket_request_payment",
    "put_bucket_tagging",
    "put_bucket_versioning",
    "put_configuration",
    "put_identified_configuration",
    "put_object_lock_configuration",
    "put_public_access_block",
    "remote_secret_key",
]
