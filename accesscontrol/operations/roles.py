"""IAM's operations on roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from accesscontrol.models import Role
from accesscontrol.operations.members import role_members, tag_members
from accesscontrol.operations.targets import new_role_target, role_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import find_role, page_of_list, page_of_rows
from accesscontrol.services import identities
from s3protocol.query.registry import query_operation

Tags = Sequence[Mapping[str, str]]
SESSION_SECONDS_DEFAULT = 3_600


@query_operation("CreateRole", action="iam:CreateRole", about=new_role_target)
def create_role(
    context: QueryContext,
    *,
    role_name: str,
    assume_role_policy_document: str,
    path: str = "/",
    description: str = "",
    max_session_duration: int = SESSION_SECONDS_DEFAULT,
    permissions_boundary: str | None = None,
    tags: Tags = (),
) -> dict[str, Any]:
    """Make a role."""
    role = identities.create_role(
        account_id=context.account_id,
        name=role_name,
        path=path,
        trust_policy=assume_role_policy_document,
        description=description,
        session_seconds_max=max_session_duration,
        boundary_arn=permissions_boundary,
        tags=tags,
    )
    return {"Role": role_members(role, is_detailed=True)}


@query_operation("GetRole", action="iam:GetRole", about=role_target)
def get_role(context: QueryContext, *, role_name: str) -> dict[str, Any]:
    """Show a role."""
    return {"Role": role_members(find_role(context.account_id, role_name), is_detailed=True)}


@query_operation("ListRoles", action="iam:ListRoles")
def list_roles(
    context: QueryContext, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List an account's roles."""
    rows = Role.objects.filter(account_id=context.account_id, path__startswith=path_prefix)
    roles, more = page_of_rows(rows, marker=marker, max_items=max_items)
    return {"Roles": [role_members(role) for role in roles], **more}


@query_operation("UpdateRole", action="iam:UpdateRole", about=role_target)
def update_role(
    context: QueryContext, *, role_name: str, description: str | None = None, max_session_duration: int | None = None
) -> dict[str, Any]:
    """Change a role's description or its longest session."""
    changed: dict[str, Any] = {}
    if description is not None:
        changed["description"] = description
    if max_session_duration is not None:
        changed["session_seconds_max"] = max_session_duration
    identities.update_role(find_role(context.account_id, role_name), **changed)
    return {}


@query_operation("UpdateRoleDescription", action="iam:UpdateRoleDescription", about=role_target)
def update_role_description(context: QueryContext, *, role_name: str, description: str) -> dict[str, Any]:
    """Change a role's description."""
    identities.update_role(find_role(context.account_id, role_name), description=description)
    return {"Role": role_members(find_role(context.account_id, role_name))}


@query_operation("UpdateAssumeRolePolicy", action="iam:UpdateAssumeRolePolicy", about=role_target)
def update_assume_role_policy(context: QueryContext, *, role_name: str, policy_document: str) -> dict[str, Any]:
    """Change who may assume a role."""
    identities.update_role(find_role(context.account_id, role_name), trust_policy=policy_document)
    return {}


@query_operation("DeleteRole", action="iam:DeleteRole", about=role_target)
def delete_role(context: QueryContext, *, role_name: str) -> dict[str, Any]:
    """Delete a role."""
    identities.delete_role(account_id=context.account_id, name=role_name)
    return {}


@query_operation("TagRole", action="iam:TagRole", about=role_target)
def tag_role(context: QueryContext, *, role_name: str, tags: Tags) -> dict[str, Any]:
    """Add tags to a role."""
    identities.change_tags(find_role(context.account_id, role_name), added=tags)
    return {}


@query_operation("UntagRole", action="iam:UntagRole", about=role_target)
def untag_role(context: QueryContext, *, role_name: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a role."""
    identities.change_tags(find_role(context.account_id, role_name), removed=tag_keys)
    return {}


@query_operation("ListRoleTags", action="iam:ListRoleTags", about=role_target)
def list_role_tags(
    context: QueryContext, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a role."""
    tags = tag_members(find_role(context.account_id, role_name).tags)
    page, more = page_of_list(tags, key=lambda tag: tag["Key"], marker=marker, max_items=max_items)
    return {"Tags": page, **more}


@query_operation("PutRolePermissionsBoundary", action="iam:PutRolePermissionsBoundary", about=role_target)
def put_role_permissions_boundary(
    context: QueryContext, *, role_name: str, permissions_boundary: str
) -> dict[str, Any]:
    """Bound what sessions of a role may do, whatever its policies say."""
    identities.put_boundary(find_role(context.account_id, role_name), permissions_boundary)
    return {}


@query_operation("DeleteRolePermissionsBoundary", action="iam:DeleteRolePermissionsBoundary", about=role_target)
def delete_role_permissions_boundary(context: QueryContext, *, role_name: str) -> dict[str, Any]:
    """Lift a role's boundary."""
    identities.put_boundary(find_role(context.account_id, role_name), None)
    return {}
