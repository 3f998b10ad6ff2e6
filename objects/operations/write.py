"""PutObject."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

from buckets.context import RequestContext
from buckets.tags import tags_from_header
from objects.attributes import checked_metadata
from objects.encryption import encryption_members
from objects.operations.answers import BODY_CHECKSUMS, checksum_members, new_version_members, quoted
from objects.operations.append import append, conditions_of_first, current_object, refuse_changes
from objects.operations.encryption import requested_encryption
from objects.operations.expiration import expiration_members
from objects.operations.members import NewObjectMembers, customer_key, kept_headers
from objects.operations.ownership import authorize_header_tags, new_ownership
from objects.operations.preconditions import write_conditions
from objects.operations.protection import requested_lock, require_digest
from objects.operations.replicas import replica_claim
from objects.services.publish import NewVersion
from objects.services.put import put_object as store_object
from objects.storage_classes import checked_storage_class
from s3protocol.registry import operation


@operation("PutObject", action="s3:PutObject", harmless=BODY_CHECKSUMS)
def put_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    if_match: str | None = None,
    if_none_match: str | None = None,
    write_offset_bytes: int | None = None,
    **members: Unpack[NewObjectMembers],
) -> dict[str, Any]:
    """Store an object, or append to one."""
    conditions = write_conditions(if_match=if_match, if_none_match=if_none_match)
    if write_offset_bytes is not None:
        base = current_object(context, key)
        if base is not None:
            refuse_changes(members)
            return append(context, base, write_offset_bytes, customer_key(members), conditions)
        conditions = conditions_of_first(write_offset_bytes, conditions)
    ownership = new_ownership(context, key, members)
    authorize_header_tags(context, key, members.get("tagging"))
    their_key = customer_key(members)
    encryption = requested_encryption(context, members, their_key)
    version = NewVersion(
        owner_id=ownership.owner_id,
        acl=ownership.acl,
        size_bytes=0,
        etag="",
        content_type=members.get("content_type", ""),
        headers=kept_headers(members),
        metadata=checked_metadata(members.get("metadata")),
        tags=tags_from_header(members.get("tagging")),
        storage_class=checked_storage_class(members.get("storage_class")),
        lock=requested_lock(context, members),
    )
    claim = replica_claim(context, key, "s3:ReplicateObject")
    if claim is not None:
        version = replace(version, **claim.columns())
    require_digest(context, version.lock)
    published, version = store_object(
        bucket_id=context.bucket.id,
        key=key,
        body=context.body,
        version=version,
        conditions=conditions,
        encryption=encryption,
    )
    return {
        "ETag": quoted(version.etag),
        **checksum_members(version.checksum_algorithm, version.checksum, version.checksum_type),
        **encryption_members(version.encryption, their_key, is_write=True),
        **new_version_members(published.version_id),
        **expiration_members(context.bucket, key, version.size_bytes, version.tags, published.became_current_at),
    }
