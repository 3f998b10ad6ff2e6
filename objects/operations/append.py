"""PutObject with a write offset: appending, which S3 has for directory buckets and which works in every bucket here."""

from __future__ import annotations

from typing import Any

from buckets.context import RequestContext
from objects.customer_keys import CustomerKey
from objects.encryption import encryption_members
from objects.operations.answers import checksum_members, new_version_members, quoted
from objects.operations.members import NewObjectMembers
from objects.selectors.lookup import VersionRecord, look_up
from objects.services.append import append_object
from objects.services.publish import WriteConditions
from s3protocol import errors


def current_object(context: RequestContext, key: str) -> VersionRecord | None:
    """Return what is at a key; None for nothing and for a delete marker. One statement."""
    found = look_up(context.bucket.name, key)
    version = None if found is None else found.version
    return None if version is None or version.is_delete_marker else version


def conditions_of_first(offset_bytes: int, conditions: WriteConditions) -> WriteConditions:
    """Return under which conditions the first piece of an object is written. Raises InvalidWriteOffset, PreconditionFailed."""
    if offset_bytes != 0:
        raise errors.InvalidWriteOffset
    if conditions.if_match is not None:
        raise errors.NoSuchKey
    return WriteConditions(if_none_match="*")


_TAKEN_OVER = {
    "acl": "acl",
    "grant_full_control": "grants",
    "grant_read": "grants",
    "grant_read_acp": "grants",
    "grant_write_acp": "grants",
    "metadata": "metadata",
    "object_lock_mode": "lock",
    "object_lock_retain_until_date": "lock",
    "object_lock_legal_hold_status": "lock",
    "server_side_encryption": "encryption",
    "ssekms_key_id": "encryption",
    "ssekms_encryption_context": "encryption",
    "storage_class": "storage class",
    "tagging": "tagging",
    "website_redirect_location": "redirect",
}


def refuse_changes(members: NewObjectMembers) -> None:
    """Raise InvalidRequest for an append that would change more than the bytes. Its content headers count for nothing."""
    for name, value in members.items():
        if value and name in _TAKEN_OVER:
            raise errors.InvalidRequest(f"What is appended takes over the object's {_TAKEN_OVER[name]}.")


def append(
    context: RequestContext,
    base: VersionRecord,
    offset_bytes: int,
    customer_key: CustomerKey | None,
    conditions: WriteConditions,
) -> dict[str, Any]:
    """Append the body to an object, and answer."""
    appended = append_object(
        bucket_id=context.bucket.id,
        base=base,
        offset_bytes=offset_bytes,
        body=context.body,
        customer_key=customer_key,
        conditions=conditions,
    )
    return {
        "ETag": quoted(appended.etag),
        "Size": appended.size_bytes,
        **checksum_members(appended.checksum_algorithm, appended.checksum, appended.checksum_type),
        **encryption_members(base.encryption, customer_key, is_write=True),
        **new_version_members(appended.published.version_id),
    }
