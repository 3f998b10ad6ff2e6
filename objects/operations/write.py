"""PutObject."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from accesscontrol.requested_acl import AclHeaders
from buckets.context import RequestContext
from buckets.tags import tags_from_header
from objects.attributes import checked_metadata, system_headers
from objects.customer_keys import parse_customer_key
from objects.encryption import encryption_members
from objects.operations.answers import BODY_CHECKSUMS, checksum_members, new_version_members, quoted
from objects.operations.append import append, conditions_of_first, current_object, refuse_changes
from objects.operations.encryption import requested_encryption
from objects.operations.expiration import expiration_members
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
    acl: str | None = None,
    bucket_key_enabled: bool | None = None,
    cache_control: str | None = None,
    content_disposition: str | None = None,
    content_encoding: str | None = None,
    content_language: str | None = None,
    content_type: str | None = None,
    expires: str | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write_acp: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    metadata: dict[str, str] | None = None,
    object_lock_mode: str | None = None,
    object_lock_retain_until_date: datetime | None = None,
    object_lock_legal_hold_status: str | None = None,
    server_side_encryption: str | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    ssekms_key_id: str | None = None,
    ssekms_encryption_context: str | None = None,
    storage_class: str | None = None,
    tagging: str | None = None,
    website_redirect_location: str | None = None,
    write_offset_bytes: int | None = None,
) -> dict[str, Any]:
    """Store an object, or append to one."""
    conditions = write_conditions(if_match=if_match, if_none_match=if_none_match)
    if write_offset_bytes is not None:
        base = current_object(context, key)
        if base is not None:
            refuse_changes(
                acl=acl,
                grants=grant_full_control or grant_read or grant_read_acp or grant_write_acp,
                metadata=metadata,
                lock=object_lock_mode or object_lock_retain_until_date or object_lock_legal_hold_status,
                encryption=server_side_encryption or ssekms_key_id or ssekms_encryption_context,
                storage_class=storage_class,
                tagging=tagging,
                redirect=website_redirect_location,
            )
            return append(
                context,
                base,
                write_offset_bytes,
                parse_customer_key(sse_customer_algorithm, sse_customer_key, sse_customer_key_md5),
                conditions,
            )
        conditions = conditions_of_first(write_offset_bytes, conditions)
    ownership = new_ownership(
        context, key, AclHeaders(acl, grant_full_control, grant_read, grant_read_acp, write_acp=grant_write_acp)
    )
    authorize_header_tags(context, key, tagging)
    customer_key = parse_customer_key(sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    encryption = requested_encryption(
        context,
        customer_key=customer_key,
        server_side_encryption=server_side_encryption,
        key_id=ssekms_key_id,
        encryption_context=ssekms_encryption_context,
        bucket_key_enabled=bucket_key_enabled,
    )
    version = NewVersion(
        owner_id=ownership.owner_id,
        acl=ownership.acl,
        size_bytes=0,
        etag="",
        content_type=content_type or "",
        headers=system_headers(
            expires=expires,
            cache_control=cache_control,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            content_language=content_language,
            website_redirect_location=website_redirect_location,
        ),
        metadata=checked_metadata(metadata),
        tags=tags_from_header(tagging),
        storage_class=checked_storage_class(storage_class),
        lock=requested_lock(
            context,
            mode=object_lock_mode,
            retain_until=object_lock_retain_until_date,
            legal_hold=object_lock_legal_hold_status,
        ),
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
        **encryption_members(version.encryption, customer_key, is_write=True),
        **new_version_members(published.version_id),
        **expiration_members(context.bucket, key, version.size_bytes, version.tags, published.became_current_at),
    }
