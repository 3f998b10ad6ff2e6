"""Whose a new object is, and with whom it is shared from the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accesscontrol.acl import AclDocument
from accesscontrol.public_access import ObjectOwnership
from accesscontrol.requested_acl import (
    BUCKET_OWNER_FULL_CONTROL,
    AclHeaders,
    acl_of_headers,
    check_acl_is_possible,
)
from buckets.context import RequestContext
from objects.operations.members import NewObjectMembers


@dataclass(frozen=True, slots=True)
class _Unwritten:
    """A version that is to be written, as decisions see it."""

    owner_id: str
    acl: str | None = None
    is_delete_marker: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewOwnership:
    """The account that a new version belongs to, and its grants; None is private."""

    owner_id: str
    acl: AclDocument | None = None


def new_ownership(context: RequestContext, key: str, members: NewObjectMembers) -> NewOwnership:
    """Return who owns what a request writes, and the list that its headers ask for. No queries without such headers.

    The writer owns it; the bucket's owner does where that is enforced, or preferred and the writer consents by
    bucket-owner-full-control. Raises as `requested_acl` does.
    """
    headers = AclHeaders(
        members.get("acl"),
        members.get("grant_full_control"),
        members.get("grant_read"),
        members.get("grant_read_acp"),
        write_acp=members.get("grant_write_acp"),
    )
    bucket, owner_id = context.bucket, context.writer_id
    is_enforced = bucket.object_ownership == ObjectOwnership.BUCKET_OWNER_ENFORCED
    is_preferred = bucket.object_ownership == ObjectOwnership.BUCKET_OWNER_PREFERRED
    if is_enforced or (is_preferred and headers.canned == BUCKET_OWNER_FULL_CONTROL):
        owner_id = bucket.owner_id
    if headers.is_absent:
        return NewOwnership(owner_id)
    acl = acl_of_headers(headers, owner_id=owner_id, bucket_owner_id=bucket.owner_id)
    owners = {owner_id, bucket.owner_id}
    is_kept = all(grant.grantee in owners for grant in acl.grants)  # what shares with nobody else needs no permission
    context.authorize_brought("s3:PutObjectAcl", key=key, version=_Unwritten(owner_id), is_free=is_kept)
    check_acl_is_possible(bucket, acl, headers)
    return NewOwnership(owner_id, acl.document(owner_id))


def authorize_header_tags(context: RequestContext, key: str, tagging: str | None) -> None:
    """Raise AccessDenied for tags in a header of a write by who may not tag.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, "Permissions"
    """
    if tagging:
        context.authorize_brought("s3:PutObjectTagging", key=key, version=_Unwritten(context.writer_id))
