"""IAM's operations on an account as a whole: its summary, alias, passwords, credential report, everything at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model, QuerySet

from accesscontrol.models import AccessKey, ManagedPolicy, OidcProvider, PolicyVersion, Role, User, UserGroup
from accesscontrol.operations.holder_policies import attached_members
from accesscontrol.operations.members import (
    boundary_members,
    document_text,
    group_members,
    policy_members,
    role_members,
    tag_members,
    user_members,
    version_members,
)
from accesscontrol.operations.targets import user_target
from accesscontrol.operations.users import named_or_own_user
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.credential_report import credential_report
from accesscontrol.selectors.iam import (
    Holder,
    count_policy_usage,
    find_user,
    iam_users,
    page_of_list,
    visible_policies,
)
from accesscontrol.services import access_keys, documents, identities, passwords, policies
from s3protocol.query import errors
from s3protocol.query.registry import query_operation

_QUOTAS = {
    "UsersQuota": 5_000,
    "GroupsQuota": 300,
    "RolesQuota": 1_000,
    "PoliciesQuota": 1_500,
    "GroupsPerUserQuota": identities.GROUPS_PER_USER_MAX,
    "AccessKeysPerUserQuota": access_keys.KEYS_PER_USER_MAX,
    "AttachedPoliciesPerUserQuota": policies.ATTACHMENTS_MAX,
    "AttachedPoliciesPerGroupQuota": policies.ATTACHMENTS_MAX,
    "AttachedPoliciesPerRoleQuota": policies.ATTACHMENTS_MAX,
    "VersionsPerPolicyQuota": policies.VERSIONS_MAX,
    "PolicySizeQuota": documents.MANAGED_SIZE_MAX,
    "UserPolicySizeQuota": documents.INLINE_SIZE_MAX["user"],
    "GroupPolicySizeQuota": documents.INLINE_SIZE_MAX["group"],
    "RolePolicySizeQuota": documents.INLINE_SIZE_MAX["role"],
    "AssumeRolePolicySizeQuota": documents.TRUST_SIZE_MAX,
}


@query_operation("GetAccountSummary", action="iam:GetAccountSummary")
def get_account_summary(context: QueryContext) -> dict[str, Any]:
    """Count what an account has, and say how much of it may be."""
    account_id = context.account_id
    own = ManagedPolicy.objects.filter(account_id=account_id)
    counted: dict[str, QuerySet[Any]] = {
        "Users": iam_users(account_id),
        "Groups": UserGroup.objects.filter(account_id=account_id),
        "Roles": Role.objects.filter(account_id=account_id),
        "Policies": own,
        "PolicyVersionsInUse": PolicyVersion.objects.filter(policy__in=own),
        "Providers": OidcProvider.objects.filter(account_id=account_id),
    }
    summary = {name: rows.count() for name, rows in counted.items()} | _QUOTAS
    root_keys = AccessKey.objects.filter(user__account_id=account_id, user__is_root=True)
    summary["AccountAccessKeysPresent"] = int(root_keys.exists())
    return {"SummaryMap": summary}


@query_operation("CreateAccountAlias", action="iam:CreateAccountAlias")
def create_account_alias(context: QueryContext, *, account_alias: str) -> dict[str, Any]:
    """Give the account a name."""
    passwords.set_account_alias(account_id=context.account_id, alias=account_alias)
    return {}


@query_operation("DeleteAccountAlias", action="iam:DeleteAccountAlias")
def delete_account_alias(context: QueryContext, *, account_alias: str) -> dict[str, Any]:
    """Take the account's name away."""
    passwords.delete_account_alias(account_id=context.account_id, alias=account_alias)
    return {}


@query_operation(
    "ListAccountAliases",
    action="iam:ListAccountAliases",
    harmless={"marker": "an account has one alias at most", "max_items": "likewise"},
)
def list_account_aliases(context: QueryContext) -> dict[str, Any]:
    """Tell the account's name."""
    alias = passwords.find_account(context.account_id).alias
    return {"AccountAliases": [] if alias is None else [alias], "IsTruncated": False}


@query_operation("GetAccountPasswordPolicy", action="iam:GetAccountPasswordPolicy")
def get_account_password_policy(context: QueryContext) -> dict[str, Any]:
    """Tell what passwords must be like."""
    policy = passwords.find_account(context.account_id).password_policy
    if policy is None:
        raise errors.NoSuchEntity(f"The Password Policy with domain name {context.account_id} cannot be found.")
    return {"PasswordPolicy": {**policy, "ExpirePasswords": False}}


@query_operation("UpdateAccountPasswordPolicy", action="iam:UpdateAccountPasswordPolicy")
def update_account_password_policy(
    context: QueryContext,
    *,
    minimum_password_length: int = 6,
    require_symbols: bool = False,
    require_numbers: bool = False,
    require_uppercase_characters: bool = False,
    require_lowercase_characters: bool = False,
    allow_users_to_change_password: bool = False,
) -> dict[str, Any]:
    """Say what passwords must be like."""
    passwords.set_password_policy(
        account_id=context.account_id,
        policy={
            "MinimumPasswordLength": minimum_password_length,
            "RequireSymbols": require_symbols,
            "RequireNumbers": require_numbers,
            "RequireUppercaseCharacters": require_uppercase_characters,
            "RequireLowercaseCharacters": require_lowercase_characters,
            "AllowUsersToChangePassword": allow_users_to_change_password,
        },
    )
    return {}


@query_operation("DeleteAccountPasswordPolicy", action="iam:DeleteAccountPasswordPolicy")
def delete_account_password_policy(context: QueryContext) -> dict[str, Any]:
    """Let passwords be as the console has them."""
    if passwords.find_account(context.account_id).password_policy is None:
        raise errors.NoSuchEntity("The account policy with name PasswordPolicy cannot be found.")
    passwords.set_password_policy(account_id=context.account_id, policy=None)
    return {}


@query_operation("CreateLoginProfile", action="iam:CreateLoginProfile", about=user_target)
def create_login_profile(
    context: QueryContext, *, user_name: str | None = None, password: str | None = None
) -> dict[str, Any]:
    """Let a user sign in to the console with a password."""
    if password is None:
        raise errors.ValidationError("A login profile needs a password.")
    user = _profile_owner(context, user_name)
    passwords.create_login_profile(user, password=password)
    return {"LoginProfile": _login_profile(user)}


def _profile_owner(context: QueryContext, user_name: str | None) -> User:
    """Return whose password is meant. A root user's is no login profile: such a request has to name somebody."""
    user = named_or_own_user(context, user_name)
    if user.is_root:
        raise errors.ValidationError("Must specify userName when calling with root user credentials.")
    return user


def _login_profile(user: User) -> dict[str, Any]:
    return {"UserName": user.name, "CreateDate": user.created_at, "PasswordResetRequired": False}


@query_operation("GetLoginProfile", action="iam:GetLoginProfile", about=user_target)
def get_login_profile(context: QueryContext, *, user_name: str | None = None) -> dict[str, Any]:
    """Tell whether a user has a password."""
    user = _profile_owner(context, user_name)
    passwords.require_login_profile(user)
    return {"LoginProfile": _login_profile(user)}


@query_operation("UpdateLoginProfile", action="iam:UpdateLoginProfile", about=user_target)
def update_login_profile(context: QueryContext, *, user_name: str, password: str | None = None) -> dict[str, Any]:
    """Give a user another password."""
    passwords.update_login_profile(find_user(context.account_id, user_name), password=password)
    return {}


@query_operation("DeleteLoginProfile", action="iam:DeleteLoginProfile", about=user_target)
def delete_login_profile(context: QueryContext, *, user_name: str | None = None) -> dict[str, Any]:
    """Let a user sign in with a password no more."""
    passwords.delete_login_profile(_profile_owner(context, user_name))
    return {}


@query_operation("ChangePassword", action="iam:ChangePassword", about=user_target)
def change_password(context: QueryContext, *, old_password: str, new_password: str) -> dict[str, Any]:
    """Change one's own password."""
    user = named_or_own_user(context, None)
    passwords.change_password(user, old_password=old_password, new_password=new_password)
    return {}


@query_operation("GenerateCredentialReport", action="iam:GenerateCredentialReport")
def generate_credential_report(context: QueryContext) -> dict[str, Any]:
    """Promise a report. It is made when it is fetched, of what is then."""
    return {"State": "COMPLETE", "Description": "The report is made of what there is when it is fetched."}


@query_operation("GetCredentialReport", action="iam:GetCredentialReport")
def get_credential_report(context: QueryContext) -> dict[str, Any]:
    """Report all users with their passwords' and keys' states, as comma-separated values."""
    content = credential_report(context.account_id).encode()
    return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": context.now}


@query_operation("GetAccountAuthorizationDetails", action="iam:GetAccountAuthorizationDetails")
def get_account_authorization_details(
    context: QueryContext,
    *,
    filter: Sequence[str] = (),  # noqa: A002  the member's name
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """Show users, groups, roles and policies with all that they are allowed. Some statements for each on the page."""
    account_id = context.account_id
    wanted = set(filter) or {"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"}
    rows: list[tuple[str, Model]] = []
    by_kind: dict[str, QuerySet[Any]] = {
        "User": iam_users(account_id),
        "Group": UserGroup.objects.filter(account_id=account_id),
        "Role": Role.objects.filter(account_id=account_id),
        "LocalManagedPolicy": ManagedPolicy.objects.filter(account_id=account_id),
        "AWSManagedPolicy": visible_policies(account_id).filter(account=None),
    }
    for kind, found in by_kind.items():
        if kind in wanted:
            rows += [(kind, row) for row in found]
    page, more = page_of_list(rows, key=lambda one: f"{one[0]} {one[1].pk:020}", marker=marker, max_items=max_items)
    managed = [row for _, row in page if isinstance(row, ManagedPolicy)]
    usage = count_policy_usage(account_id, managed)
    return {
        "UserDetailList": [_user_detail(row) for _, row in page if isinstance(row, User)],
        "GroupDetailList": [_group_detail(row) for _, row in page if isinstance(row, UserGroup)],
        "RoleDetailList": [_role_detail(row) for _, row in page if isinstance(row, Role)],
        "Policies": [_policy_detail(row, usage[row.pk]) for row in managed],
        **more,
    }


def _policies_of(holder: Holder, kind: str) -> dict[str, Any]:
    inline = [
        {"PolicyName": one.name, "PolicyDocument": document_text(one.document)} for one in holder.inline_policies.all()
    ]
    attached = [attached_members(row) for row in holder.attachments.select_related("policy")]
    return {f"{kind}PolicyList": inline, "AttachedManagedPolicies": attached}


def _user_detail(user: User) -> dict[str, Any]:
    members = user_members(user)
    del members["PasswordLastUsed"]
    groups = list(user.user_groups.values_list("name", flat=True))
    boundary = boundary_members(user.boundary)
    return (
        members
        | _policies_of(user, "User")
        | {"GroupList": groups, "PermissionsBoundary": boundary, "Tags": tag_members(user.tags)}
    )


def _group_detail(group: UserGroup) -> dict[str, Any]:
    return group_members(group) | _policies_of(group, "Group")


def _role_detail(role: Role) -> dict[str, Any]:
    members = role_members(role, is_detailed=True)
    del members["Description"], members["MaxSessionDuration"]
    return members | _policies_of(role, "Role") | {"InstanceProfileList": []}


def _policy_detail(policy: ManagedPolicy, usage: tuple[int, int]) -> dict[str, Any]:
    members = policy_members(policy, attachments=usage[0], boundaries=usage[1], is_detailed=False)
    versions = [version_members(version, policy, has_document=True) for version in policy.versions.order_by("-number")]
    return members | {"PolicyVersionList": versions}
