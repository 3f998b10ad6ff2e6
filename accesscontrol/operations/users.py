"""IAM's operations on users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accesscontrol.models import User
from accesscontrol.operations.members import tag_members, user_members
from accesscontrol.operations.targets import authorize_renamed, new_user_target, user_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import find_user, iam_users, page_of_list, page_of_rows
from accesscontrol.services import identities
from s3protocol.query.registry import query_operation

Tags = Sequence[Mapping[str, str]]


@query_operation("CreateUser", action="iam:CreateUser", about=new_user_target)
def create_user(
    context: QueryContext, *, user_name: str, path: str = "/", permissions_boundary: str | None = None, tags: Tags = ()
) -> dict[str, Any]:
    """Make a user."""
    user = identities.create_user(
        account_id=context.account_id, name=user_name, path=path, boundary_arn=permissions_boundary, tags=tags
    )
    return {"User": user_members(user, is_detailed=True)}


@query_operation("GetUser", action="iam:GetUser", about=user_target)
def get_user(context: QueryContext, *, user_name: str | None = None) -> dict[str, Any]:
    """Show a user, or who asks."""
    return {"User": user_members(named_or_own_user(context, user_name), is_detailed=True)}


def named_or_own_user(context: QueryContext, user_name: str | None) -> User:
    """Return the user with a name, or who asks. Raises NoSuchEntity, ValidationError."""
    if user_name is not None:
        return find_user(context.account_id, user_name)
    return User.objects.select_related("boundary").get(pk=context.own_user_id)


@query_operation("ListUsers", action="iam:ListUsers")
def list_users(
    context: QueryContext, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List an account's users."""
    rows = iam_users(context.account_id).filter(path__startswith=path_prefix)
    users, more = page_of_rows(rows, marker=marker, max_items=max_items)
    return {"Users": [user_members(user) for user in users], **more}


@query_operation("UpdateUser", action="iam:UpdateUser", about=user_target)
def update_user(
    context: QueryContext, *, user_name: str, new_path: str | None = None, new_user_name: str | None = None
) -> dict[str, Any]:
    """Rename a user, or move it to another path."""
    user = find_user(context.account_id, user_name)
    authorize_renamed(context, "iam:UpdateUser", user, new_name=new_user_name, new_path=new_path)
    identities.rename(user, new_name=new_user_name, new_path=new_path)
    return {}


@query_operation("DeleteUser", action="iam:DeleteUser", about=user_target)
def delete_user(context: QueryContext, *, user_name: str) -> dict[str, Any]:
    """Delete a user."""
    identities.delete_user(account_id=context.account_id, name=user_name)
    return {}


@query_operation("TagUser", action="iam:TagUser", about=user_target)
def tag_user(context: QueryContext, *, user_name: str, tags: Tags) -> dict[str, Any]:
    """Add tags to a user."""
    identities.change_tags(find_user(context.account_id, user_name), added=tags)
    return {}


@query_operation("UntagUser", action="iam:UntagUser", about=user_target)
def untag_user(context: QueryContext, *, user_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a user."""
    identities.change_tags(find_user(context.account_id, user_name), removed=tag_keys)
    return {}


@query_operation("ListUserTags", action="iam:ListUserTags", about=user_target)
def list_user_tags(
    context: QueryContext, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a user."""
    tags = tag_members(find_user(context.account_id, user_name).tags)
    page, more = page_of_list(tags, key=lambda tag: tag["Key"], marker=marker, max_items=max_items)
    return {"Tags": page, **more}


@query_operation("PutUserPermissionsBoundary", action="iam:PutUserPermissionsBoundary", about=user_target)
def put_user_permissions_boundary(
    context: QueryContext, *, user_name: str, permissions_boundary: str
) -> dict[str, Any]:
    """Bound what a user may do, whatever its policies say."""
    identities.put_boundary(find_user(context.account_id, user_name), permissions_boundary)
    return {}


@query_operation("DeleteUserPermissionsBoundary", action="iam:DeleteUserPermissionsBoundary", about=user_target)
def delete_user_permissions_boundary(context: QueryContext, *, user_name: str) -> dict[str, Any]:
    """Lift a user's boundary."""
    identities.put_boundary(find_user(context.account_id, user_name), None)
    return {}
