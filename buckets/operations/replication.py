"""GetBucketReplication, PutBucketReplication, DeleteBucketReplication."""

from __future__ import annotations

import secrets
from typing import Any

from accesscontrol.authorization import decide_about
from accesscontrol.denials import access_denied
from accesscontrol.services.service_roles import is_role_of
from buckets import selectors, services
from buckets.context import RequestContext
from buckets.replication import KIND, checked_document, enabled_rules
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
    _authorize(context, document)
    services.put_bucket_replication(bucket_id=context.bucket.id, document=document)
    return {}


def _authorize(context: RequestContext, document: dict[str, Any]) -> None:
    """Raise AccessDenied unless the principal may have the account of the bucket carry versions to where the rules say.

    Replicas are written as a role of that account, and of no other. So who asks for them needs what AWS asks for,
    iam:PassRole, and must be allowed to replicate into the account's other buckets himself; what the role may do is asked
    when a version is carried.
    """
    owner_id = context.bucket.owner_id
    if not is_role_of(document["Role"], owner_id):
        raise errors.AccessDenied("Cross-account pass role is not allowed.")
    decision = decide_about(
        context.principal,
        action="iam:PassRole",
        resource=document["Role"],
        owner_account_id=owner_id,
        facts=context.facts,
        stated={"iam:passedtoservice": "s3.amazonaws.com"},
    )
    if context.audit is not None:
        context.audit.note("iam:PassRole", None, decision)
    if not decision.is_allowed:
        raise access_denied(decision)
    for rule in enabled_rules(document):
        destination = None if rule.remote else selectors.find_bucket(rule.destination)
        if destination is not None and destination.owner_id == owner_id:
            context.authorize("s3:ReplicateObject", bucket=destination, key=f"{rule.prefix}*")


@operation("DeleteBucketReplication", action="s3:PutReplicationConfiguration")
def delete_bucket_replication(context: RequestContext, *, bucket: str) -> dict[str, Any]:
    """Replicate nothing of what is written from now on."""
    services.put_bucket_replication(bucket_id=context.bucket.id, document=None)
    return {}
