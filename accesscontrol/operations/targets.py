"""What the operations of IAM are about, as policies name it: the ARN, and the condition keys that follow from it.

What does not exist has a name all the same: whether somebody may do something is decided before it is said whether there
is anything to do it to. Cost: one statement.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accesscontrol.arns import account_arn, entity_arn, provider_arn
from accesscontrol.models import ManagedPolicy, OidcProvider, Role, User, UserGroup
from accesscontrol.principal import PrincipalKind
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import find_policy, find_provider, holder_arn, holder_kind, iam_users, policy_arn
from s3protocol.query import errors
from s3protocol.query.registry import Target

Arguments = Mapping[str, Any]
Stated = dict[str, str | tuple[str, ...]]


def user_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a user; without a name, who asks."""
    name = arguments.get("user_name")
    if name is None:
        if context.principal.kind is PrincipalKind.ROOT:
            return Target(account_arn(context.account_id), _of_arguments(arguments))
        if context.principal.kind is not PrincipalKind.USER:
            return Target("*")
        name = context.principal.user_name
    user = iam_users(context.account_id).filter(name__iexact=name).select_related("boundary").first()
    return _holder_target(context, arguments, "user", name, user)


def authorize_renamed(
    context: QueryContext, action: str, holder: User | UserGroup, *, new_name: str | None, new_path: str | None
) -> None:
    """Raise AccessDenied unless who may rename or move a user or group may do so with what it becomes, too.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
    """
    named = entity_arn(holder.account_id, holder_kind(holder), new_path or holder.path, new_name or holder.name)
    if named != holder_arn(holder):
        context.authorize(action, named, stated=_holder_target(context, {}, holder_kind(holder), named, holder).stated)


def new_user_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a user that is to be made."""
    return _new(context, arguments, "user", arguments["user_name"])


def group_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a group."""
    group = UserGroup.objects.filter(account_id=context.account_id, name__iexact=arguments["group_name"]).first()
    return _holder_target(context, arguments, "group", arguments["group_name"], group)


def new_group_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a group that is to be made."""
    return _new(context, arguments, "group", arguments["group_name"])


def role_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a role."""
    rows = Role.objects.filter(account_id=context.account_id, name__iexact=arguments["role_name"])
    return _holder_target(context, arguments, "role", arguments["role_name"], rows.select_related("boundary").first())


def new_role_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a role that is to be made."""
    return _new(context, arguments, "role", arguments["role_name"])


def policy_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a managed policy."""
    arn = arguments["policy_arn"]
    stated = _of_arguments(arguments)
    try:
        policy = find_policy(context.account_id, arn)
    except (errors.NoSuchEntity, errors.InvalidInput):
        return Target(arn, stated)
    return Target(policy_arn(policy), stated | _of_tags("aws:resourcetag", policy.tags))


def new_policy_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name a managed policy that is to be made."""
    return _new(context, arguments, "policy", arguments["policy_name"])


def provider_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name an identity provider."""
    arn = arguments["open_id_connect_provider_arn"]
    stated = _of_arguments(arguments)
    try:
        provider: OidcProvider = find_provider(context.account_id, arn)
    except errors.NoSuchEntity:
        return Target(arn, stated)
    return Target(arn, stated | _of_tags("aws:resourcetag", provider.tags))


def new_provider_target(context: QueryContext, arguments: Arguments) -> Target:
    """Name an identity provider that is to be made."""
    url = arguments["url"].removeprefix("https://")
    return Target(provider_arn(context.account_id, url), _of_arguments(arguments))


def _new(context: QueryContext, arguments: Arguments, kind: str, name: str) -> Target:
    arn = entity_arn(context.account_id, kind, arguments.get("path", "/"), name)
    return Target(arn, _of_arguments(arguments))


def _holder_target(
    context: QueryContext, arguments: Arguments, kind: str, name: str, holder: User | UserGroup | Role | None
) -> Target:
    stated = _of_arguments(arguments)
    if holder is None:
        return Target(entity_arn(context.account_id, kind, "/", name), stated)
    if not isinstance(holder, UserGroup):
        stated |= _of_tags("aws:resourcetag", holder.tags) | _of_tags("iam:resourcetag", holder.tags)
        boundary: ManagedPolicy | None = holder.boundary
        if boundary is not None:
            stated.setdefault("iam:permissionsboundary", policy_arn(boundary))
    return Target(holder_arn(holder), stated)


def _of_arguments(arguments: Arguments) -> Stated:
    """Return the keys that a request's own members are the values of."""
    stated: Stated = {}
    if arguments.get("tags"):
        stated["aws:tagkeys"] = tuple(tag["Key"] for tag in arguments["tags"])
        stated |= _of_tags("aws:requesttag", {tag["Key"]: tag["Value"] for tag in arguments["tags"]})
    if arguments.get("tag_keys"):
        stated["aws:tagkeys"] = tuple(arguments["tag_keys"])
    if arguments.get("permissions_boundary"):
        stated["iam:permissionsboundary"] = arguments["permissions_boundary"]
    if arguments.get("policy_arn"):
        stated["iam:policyarn"] = arguments["policy_arn"]
    return stated


def _of_tags(key: str, tags: Mapping[str, str]) -> Stated:
    return {f"{key}/{name}": value for name, value in tags.items()}
