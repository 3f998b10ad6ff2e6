"""IAM's entities in the members of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from accesscontrol.models import AccessKey, ManagedPolicy, PolicyVersion, Role, User, UserGroup
from accesscontrol.selectors.iam import holder_arn, policy_arn


def user_members(user: User, *, is_detailed: bool = False) -> dict[str, Any]:
    """Render a user; listings leave boundary and tags out."""
    members: dict[str, Any] = {
        "Path": user.path,
        "UserName": None if user.is_root else user.name,
        "UserId": user.account_id if user.is_root else user.unique_id,
        "Arn": holder_arn(user),
        "CreateDate": user.created_at,
        "PasswordLastUsed": user.last_login,
    }
    return members | (_details(user) if is_detailed else {})


def group_members(group: UserGroup) -> dict[str, Any]:
    """Render a group."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.unique_id,
        "Arn": holder_arn(group),
        "CreateDate": group.created_at,
    }


def role_members(role: Role, *, is_detailed: bool = False) -> dict[str, Any]:
    """Render a role; listings leave boundary, tags and the last use out."""
    members: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.unique_id,
        "Arn": holder_arn(role),
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": document_text(role.trust_policy),
        "Description": role.description or None,
        "MaxSessionDuration": role.session_seconds_max,
    }
    if not is_detailed:
        return members
    used = {} if role.last_used_at is None else {"LastUsedDate": role.last_used_at, "Region": role.last_used_region}
    return members | _details(role) | {"RoleLastUsed": used}


def _details(holder: User | Role) -> dict[str, Any]:
    return {
        "PermissionsBoundary": boundary_members(holder.boundary),
        "Tags": tag_members(holder.tags) if holder.tags else None,
    }


def boundary_members(boundary: ManagedPolicy | None) -> dict[str, str] | None:
    """Render a permissions boundary."""
    if boundary is None:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": policy_arn(boundary)}


def tag_members(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Render tags in the order of their keys."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def access_key_members(key: AccessKey, user: User) -> dict[str, Any]:
    """Render an access key without its secret."""
    return {
        "UserName": None if user.is_root else user.name,
        "AccessKeyId": key.access_key_id,
        "Status": "Active" if key.is_active else "Inactive",
        "CreateDate": key.created_at,
    }


def policy_members(policy: ManagedPolicy, *, attachments: int, boundaries: int, is_detailed: bool) -> dict[str, Any]:
    """Render a managed policy; listings leave description and tags out."""
    members: dict[str, Any] = {
        "PolicyName": policy.name,
        "PolicyId": policy.unique_id,
        "Arn": policy_arn(policy),
        "Path": policy.path,
        "DefaultVersionId": f"v{policy.default_version}",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.updated_at,
    }
    if is_detailed:
        members |= {
            "Description": policy.description or None,
            "Tags": tag_members(policy.tags) if policy.tags else None,
        }
    return members


def version_members(version: PolicyVersion, policy: ManagedPolicy, *, has_document: bool = False) -> dict[str, Any]:
    """Render a version of a policy."""
    return {
        "Document": document_text(version.document) if has_document else None,
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == policy.default_version,
        "CreateDate": version.created_at,
    }


def document_text(document: str) -> str:
    """Render a policy document as IAM does, percent-encoded."""
    return quote(document, safe="~")
