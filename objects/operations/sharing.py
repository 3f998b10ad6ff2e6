"""GetObjectAcl and PutObjectAcl."""

from __future__ import annotations

from typing import Any

from accesscontrol.acl import private_acl, read_acl
from accesscontrol.authorization import object_owner_id
from accesscontrol.requested_acl import AclHeaders, acl_members, check_acl_is_possible, requested_acl
from buckets.context import RequestContext
from objects.operations.read import readable_version
from objects.services.sharing import put_object_acl as store_acl
from s3protocol.registry import operation


@operation(
    "GetObjectAcl",
    action="s3:GetObjectAcl",
    versioned_action="s3:GetObjectVersionAcl",
    reads_object=True,
)
def get_object_acl(context: RequestContext, *, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """Return a version's owner and grants."""
    version = readable_version(context, key, version_id)
    owner_id = object_owner_id(context.bucket, version.owner_id)
    acl = read_acl(version.acl, owner_id) if owner_id == version.owner_id else private_acl(owner_id)
    return acl_members(acl, owner_id)


@operation(
    "PutObjectAcl",
    action="s3:PutObjectAcl",
    versioned_action="s3:PutObjectVersionAcl",
    reads_object=True,
)
def put_object_acl(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
    version_id: str | None = None,
) -> dict[str, Any]:
    """Replace a version's grants."""
    version = readable_version(context, key, version_id)
    owner_id = object_owner_id(context.bucket, version.owner_id)
    headers = AclHeaders(acl, grant_full_control, grant_read, grant_read_acp, grant_write, grant_write_acp)
    wanted = requested_acl(headers, access_control_policy, owner_id=owner_id, bucket_owner_id=context.bucket.owner_id)
    check_acl_is_possible(context.bucket, wanted, headers)
    if owner_id == version.owner_id:
        store_acl(version_row=version.id, acl=wanted.document(owner_id))
    return {}
