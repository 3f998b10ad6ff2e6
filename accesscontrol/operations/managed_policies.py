"""IAM's operations on managed policies and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from accesscontrol.models import ManagedPolicy, PolicyVersion
from accesscontrol.operations.members import policy_members, tag_members, version_members
from accesscontrol.operations.targets import new_policy_target, policy_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import (
    count_policy_usage,
    find_policy,
    find_policy_version,
    page_of_list,
    visible_policies,
)
from accesscontrol.services import identities, policies
from s3protocol.query import errors
from s3protocol.query.registry import query_operation

Tags = Sequence[Mapping[str, str]]


@query_operation("CreatePolicy", action="iam:CreatePolicy", about=new_policy_target)
def create_policy(
    context: QueryContext,
    *,
    policy_name: str,
    policy_document: str,
    path: str = "/",
    description: str = "",
    tags: Tags = (),
) -> dict[str, Any]:
    """Make a managed policy."""
    policy = policies.create_policy(
        account_id=context.account_id,
        name=policy_name,
        path=path,
        document=policy_document,
        description=description,
        tags=tags,
    )
    return {"Policy": policy_members(policy, attachments=0, boundaries=0, is_detailed=True)}


@query_operation("GetPolicy", action="iam:GetPolicy", about=policy_target)
def get_policy(context: QueryContext, *, policy_arn: str) -> dict[str, Any]:
    """Show a managed policy."""
    policy = find_policy(context.account_id, policy_arn)
    return {"Policy": _counted_members(context, [policy], is_detailed=True)[0]}


def _counted_members(
    context: QueryContext, policies: Sequence[ManagedPolicy], *, is_detailed: bool = False
) -> list[dict[str, Any]]:
    """Render policies with the number of those of the account that have each. Three statements."""
    usage = count_policy_usage(context.account_id, policies)
    return [
        policy_members(policy, attachments=usage[policy.pk][0], boundaries=usage[policy.pk][1], is_detailed=is_detailed)
        for policy in policies
    ]


@query_operation("ListPolicies", action="iam:ListPolicies")
def list_policies(
    context: QueryContext,
    *,
    scope: str = "All",
    only_attached: bool = False,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the managed policies that an account may use."""
    rows = visible_policies(context.account_id).filter(path__startswith=path_prefix)
    if scope != "All":
        rows = rows.filter(account_id=context.account_id if scope == "Local" else None)
    shown = _counted_members(context, list(rows))
    shown = [one for one in shown if _is_used(one, only_attached=only_attached, usage=policy_usage_filter)]
    page, more = page_of_list(shown, key=lambda one: str(one["Arn"]), marker=marker, max_items=max_items)
    return {"Policies": page, **more}


def _is_used(policy: Mapping[str, Any], *, only_attached: bool, usage: str | None) -> bool:
    if only_attached and not policy["AttachmentCount"]:
        return False
    return usage != "PermissionsBoundary" or bool(policy["PermissionsBoundaryUsageCount"])


@query_operation("DeletePolicy", action="iam:DeletePolicy", about=policy_target)
def delete_policy(context: QueryContext, *, policy_arn: str) -> dict[str, Any]:
    """Delete a managed policy."""
    policies.delete_policy(account_id=context.account_id, arn=policy_arn)
    return {}


@query_operation("CreatePolicyVersion", action="iam:CreatePolicyVersion", about=policy_target)
def create_policy_version(
    context: QueryContext, *, policy_arn: str, policy_document: str, set_as_default: bool = False
) -> dict[str, Any]:
    """Give a policy another version."""
    version = policies.create_policy_version(
        account_id=context.account_id, arn=policy_arn, document=policy_document, is_default=set_as_default
    )
    return {"PolicyVersion": version_members(version, find_policy(context.account_id, policy_arn))}


@query_operation("GetPolicyVersion", action="iam:GetPolicyVersion", about=policy_target)
def get_policy_version(context: QueryContext, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Show a version with its document."""
    policy = find_policy(context.account_id, policy_arn)
    version = find_policy_version(policy, version_id)
    return {"PolicyVersion": version_members(version, policy, has_document=True)}


@query_operation("ListPolicyVersions", action="iam:ListPolicyVersions", about=policy_target)
def list_policy_versions(
    context: QueryContext, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the versions of a policy, the newest first."""
    policy = find_policy(context.account_id, policy_arn)
    versions: QuerySet[PolicyVersion] = policy.versions.order_by("-number")
    page, more = page_of_list(
        list(versions), key=lambda version: f"{10**9 - version.number:010}", marker=marker, max_items=max_items
    )
    return {"Versions": [version_members(version, policy) for version in page], **more}


@query_operation("SetDefaultPolicyVersion", action="iam:SetDefaultPolicyVersion", about=policy_target)
def set_default_policy_version(context: QueryContext, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Let another version count."""
    policies.set_default_version(account_id=context.account_id, arn=policy_arn, version_id=version_id)
    return {}


@query_operation("DeletePolicyVersion", action="iam:DeletePolicyVersion", about=policy_target)
def delete_policy_version(context: QueryContext, *, policy_arn: str, version_id: str) -> dict[str, Any]:
    """Delete a version."""
    policies.delete_policy_version(account_id=context.account_id, arn=policy_arn, version_id=version_id)
    return {}


@query_operation("TagPolicy", action="iam:TagPolicy", about=policy_target)
def tag_policy(context: QueryContext, *, policy_arn: str, tags: Tags) -> dict[str, Any]:
    """Add tags to a policy."""
    identities.change_tags(_taggable(context, policy_arn), added=tags)
    return {}


@query_operation("UntagPolicy", action="iam:UntagPolicy", about=policy_target)
def untag_policy(context: QueryContext, *, policy_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags from a policy."""
    identities.change_tags(_taggable(context, policy_arn), removed=tag_keys)
    return {}


def _taggable(context: QueryContext, arn: str) -> ManagedPolicy:
    policy = find_policy(context.account_id, arn)
    if policy.account_id is None:
        raise errors.AccessDenied("Built-in policies cannot be changed.")
    return policy


@query_operation("ListPolicyTags", action="iam:ListPolicyTags", about=policy_target)
def list_policy_tags(
    context: QueryContext, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a policy."""
    tags = tag_members(find_policy(context.account_id, policy_arn).tags)
    page, more = page_of_list(tags, key=lambda tag: tag["Key"], marker=marker, max_items=max_items)
    return {"Tags": page, **more}


@query_operation("ListEntitiesForPolicy", action="iam:ListEntitiesForPolicy", about=policy_target)
def list_entities_for_policy(
    context: QueryContext,
    *,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the account's users, groups and roles that have a policy, or are bounded by it."""
    policy = find_policy(context.account_id, policy_arn)
    found = [
        one
        for kind in ("user", "group", "role")
        for one in _entities(context, policy, kind, policy_usage_filter)
        if one["path"].startswith(path_prefix) and entity_filter in (None, kind.capitalize())
    ]
    page, more = page_of_list(found, key=lambda one: f"{one['kind']} {one['id']}", marker=marker, max_items=max_items)
    answer: dict[str, Any] = {}
    for kind in ("Group", "User", "Role"):
        members = [{f"{kind}Name": one["name"], f"{kind}Id": one["id"]} for one in page if one["kind"] == kind]
        answer[f"Policy{kind}s"] = members
    return answer | more


def _entities(context: QueryContext, policy: ManagedPolicy, kind: str, usage: str | None) -> list[dict[str, str]]:
    columns = ("name", "unique_id", "path")
    rows: set[tuple[str, str, str]] = set()
    if usage != "PermissionsBoundary":
        attached = policy.attachments.filter(**{f"{kind}__account_id": context.account_id})
        rows |= set(attached.values_list(*(f"{kind}__{column}" for column in columns)))
    if usage != "PermissionsPolicy" and kind != "group":
        bounded = policy.bounded_users if kind == "user" else policy.bounded_roles
        rows |= set(bounded.filter(account_id=context.account_id).values_list(*columns))
    return [{"kind": kind.capitalize(), "name": name, "id": unique, "path": path} for name, unique, path in rows]
