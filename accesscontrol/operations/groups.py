"""IAM's operations on groups of users."""

from __future__ import annotations

from typing import Any

from accesscontrol.models import UserGroup
from accesscontrol.operations.members import group_members, user_members
from accesscontrol.operations.targets import authorize_renamed, group_target, new_group_target, user_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import find_group, find_user, page_of_rows
from accesscontrol.services import identities
from s3protocol.query.registry import query_operation


@query_operation("CreateGroup", action="iam:CreateGroup", about=new_group_target)
def create_group(context: QueryContext, *, group_name: str, path: str = "/") -> dict[str, Any]:
    """Make a group."""
    group = identities.create_group(account_id=context.account_id, name=group_name, path=path)
    return {"Group": group_members(group)}


@query_operation("GetGroup", action="iam:GetGroup", about=group_target)
def get_group(
    context: QueryContext, *, group_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Show a group and its members."""
    group = find_group(context.account_id, group_name)
    users, more = page_of_rows(group.members.all(), marker=marker, max_items=max_items)
    return {"Group": group_members(group), "Users": [user_members(user) for user in users], **more}


@query_operation("ListGroups", action="iam:ListGroups")
def list_groups(
    context: QueryContext, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List an account's groups."""
    rows = UserGroup.objects.filter(account_id=context.account_id, path__startswith=path_prefix)
    groups, more = page_of_rows(rows, marker=marker, max_items=max_items)
    return {"Groups": [group_members(group) for group in groups], **more}


@query_operation("ListGroupsForUser", action="iam:ListGroupsForUser", about=user_target)
def list_groups_for_user(
    context: QueryContext, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the groups that a user is in."""
    rows = find_user(context.account_id, user_name).user_groups.all()
    groups, more = page_of_rows(rows, marker=marker, max_items=max_items)
    return {"Groups": [group_members(group) for group in groups], **more}


@query_operation("UpdateGroup", action="iam:UpdateGroup", about=group_target)
def update_group(
    context: QueryContext, *, group_name: str, new_path: str | None = None, new_group_name: str | None = None
) -> dict[str, Any]:
    """Rename a group, or move it to another path."""
    group = find_group(context.account_id, group_name)
    authorize_renamed(context, "iam:UpdateGroup", group, new_name=new_group_name, new_path=new_path)
    identities.rename(group, new_name=new_group_name, new_path=new_path)
    return {}


@query_operation("DeleteGroup", action="iam:DeleteGroup", about=group_target)
def delete_group(context: QueryContext, *, group_name: str) -> dict[str, Any]:
    """Delete a group."""
    identities.delete_group(account_id=context.account_id, name=group_name)
    return {}


@query_operation("AddUserToGroup", action="iam:AddUserToGroup", about=group_target)
def add_user_to_group(context: QueryContext, *, group_name: str, user_name: str) -> dict[str, Any]:
    """Let a user be of a group."""
    identities.add_to_group(account_id=context.account_id, group_name=group_name, user_name=user_name)
    return {}


@query_operation("RemoveUserFromGroup", action="iam:RemoveUserFromGroup", about=group_target)
def remove_user_from_group(context: QueryContext, *, group_name: str, user_name: str) -> dict[str, Any]:
    """Let a user be of a group no more."""
    identities.remove_from_group(account_id=context.account_id, group_name=group_name, user_name=user_name)
    return {}
