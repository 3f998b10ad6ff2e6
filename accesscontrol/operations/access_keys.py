"""IAM's operations on access keys. A secret key is told once, in the answer that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accesscontrol.models import AccessKey
from accesscontrol.operations.members import access_key_members
from accesscontrol.operations.targets import user_target
from accesscontrol.operations.users import named_or_own_user
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import holder_arn, page_of_rows
from accesscontrol.services import access_keys
from s3protocol.query import errors
from s3protocol.query.registry import Target, query_operation


@query_operation("CreateAccessKey", action="iam:CreateAccessKey", about=user_target)
def create_access_key(context: QueryContext, *, user_name: str | None = None) -> dict[str, Any]:
    """Give a user another key pair."""
    user = named_or_own_user(context, user_name)
    new = access_keys.create_access_key(user=user)
    return {"AccessKey": access_key_members(new.row, user) | {"SecretAccessKey": new.secret_key}}


@query_operation("ListAccessKeys", action="iam:ListAccessKeys", about=user_target)
def list_access_keys(
    context: QueryContext, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List a user's keys."""
    user = named_or_own_user(context, user_name)
    keys, more = page_of_rows(
        AccessKey.objects.filter(user=user), marker=marker, max_items=max_items, by="access_key_id"
    )
    return {"AccessKeyMetadata": [access_key_members(key, user) for key in keys], **more}


@query_operation("UpdateAccessKey", action="iam:UpdateAccessKey", about=user_target)
def update_access_key(
    context: QueryContext, *, access_key_id: str, status: str, user_name: str | None = None
) -> dict[str, Any]:
    """Switch a key on or off."""
    if status not in ("Active", "Inactive"):
        raise errors.ValidationError("The status of an access key is Active or Inactive.")
    user = named_or_own_user(context, user_name)
    access_keys.set_access_key_status(user=user, access_key_id=access_key_id, is_active=status == "Active")
    return {}


@query_operation("DeleteAccessKey", action="iam:DeleteAccessKey", about=user_target)
def delete_access_key(context: QueryContext, *, access_key_id: str, user_name: str | None = None) -> dict[str, Any]:
    """Delete a key."""
    access_keys.delete_access_key(user=named_or_own_user(context, user_name), access_key_id=access_key_id)
    return {}


def key_target(context: QueryContext, arguments: Mapping[str, Any]) -> Target:
    """Name the user whose key it is."""
    key = _own_key(context, arguments["access_key_id"])
    return Target("*" if key is None else holder_arn(key.user))


def _own_key(context: QueryContext, access_key_id: str) -> AccessKey | None:
    rows = AccessKey.objects.filter(access_key_id=access_key_id, user__account_id=context.account_id)
    return rows.select_related("user").first()


@query_operation("GetAccessKeyLastUsed", action="iam:GetAccessKeyLastUsed", about=key_target)
def get_access_key_last_used(context: QueryContext, *, access_key_id: str) -> dict[str, Any]:
    """Tell when, where and for what a key was last used."""
    key = _own_key(context, access_key_id)
    if key is None:
        raise errors.AccessDenied(f"The Access Key with id {access_key_id} is none of this account's.")
    used: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
    if key.last_used_at is not None:
        used = {
            "LastUsedDate": key.last_used_at,
            "ServiceName": key.last_used_service,
            "Region": key.last_used_region,
        }
    return {"UserName": key.user.name, "AccessKeyLastUsed": used}
