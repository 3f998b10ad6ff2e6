"""Groups, roles, policies and identity providers in the admin: to look at. IAM's API changes them.

What an operator may do here is end the sessions of a role or a user, at once and for good: those that come later are new.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accesscontrol.models import (
    InlinePolicy,
    ManagedPolicy,
    OidcProvider,
    PolicyAttachment,
    PolicyVersion,
    Role,
    UserGroup,
)
from accesscontrol.services import end_sessions
from console.admin.rows import RowsAdmin, column, row_link, rows_link


@admin.register(UserGroup)
class UserGroupAdmin(RowsAdmin):
    """Groups of users of an account."""

    list_display = ("name", "account_link", "path", "policies_link", "attachments_link", "created_at")
    more_fields = ("members_text", "policies_link", "attachments_link")
    list_select_related = ("account",)
    search_fields = ("name", "=account__name")
    ordering = ("name",)

    @column(description="Account")
    def account_link(self, row: UserGroup) -> SafeString:
        """Link to the account."""
        return row_link("accesscontrol_account", row.account_id, row.account)

    @column(description="Members")
    def members_text(self, row: UserGroup) -> str:
        """Name the members."""
        return ", ".join(row.members.order_by("name").values_list("name", flat=True)) or "nobody"

    @column(description="Inline policies")
    def policies_link(self, row: UserGroup) -> SafeString:
        """Link to the group's own policies."""
        return rows_link("accesscontrol_inlinepolicy", "show", group=row.pk)

    @column(description="Managed policies")
    def attachments_link(self, row: UserGroup) -> SafeString:
        """Link to the managed policies that the group has."""
        return rows_link("accesscontrol_policyattachment", "show", group=row.pk)


@admin.register(Role)
class RoleAdmin(RowsAdmin):
    """Roles of an account."""

    list_display = ("name", "account_link", "path", "policies_link", "attachments_link", "last_used_at")
    more_fields = ("policies_link", "attachments_link")
    list_select_related = ("account",)
    search_fields = ("name", "=account__name")
    ordering = ("name",)
    actions = ("end_sessions",)

    @admin.action(description="End all sessions")
    def end_sessions(self, request: HttpRequest, roles: QuerySet[Role]) -> None:
        """Refuse every session that was issued until now."""
        if not request.user.has_perm("accesscontrol.change_role"):
            messages.error(request, "That is for those who may change roles.")
            return
        for role in roles:
            end_sessions(role)
        messages.success(request, "Ended; every process follows within seconds.")

    @column(description="Account")
    def account_link(self, row: Role) -> SafeString:
        """Link to the account."""
        return row_link("accesscontrol_account", row.account_id, row.account)

    @column(description="Inline policies")
    def policies_link(self, row: Role) -> SafeString:
        """Link to the role's own policies."""
        return rows_link("accesscontrol_inlinepolicy", "show", role=row.pk)

    @column(description="Managed policies")
    def attachments_link(self, row: Role) -> SafeString:
        """Link to the managed policies that the role has."""
        return rows_link("accesscontrol_policyattachment", "show", role=row.pk)


@admin.register(ManagedPolicy)
class ManagedPolicyAdmin(RowsAdmin):
    """Managed policies, the built-in ones too."""

    list_display = ("name", "account", "default_version", "versions_link", "attachments_link", "updated_at")
    more_fields = ("versions_link", "attachments_link")
    list_select_related = ("account",)
    search_fields = ("name", "=account__name")
    ordering = ("name",)

    @column(description="Versions")
    def versions_link(self, row: ManagedPolicy) -> SafeString:
        """Link to the versions, with their documents."""
        return rows_link("accesscontrol_policyversion", "show", policy=row.pk)

    @column(description="Attached to")
    def attachments_link(self, row: ManagedPolicy) -> SafeString:
        """Link to what the policy is attached to."""
        return rows_link("accesscontrol_policyattachment", "show", policy=row.pk)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(RowsAdmin):
    """Versions of managed policies."""

    list_display = ("policy", "number", "created_at")
    list_select_related = ("policy",)
    list_filter = ("policy__account",)
    search_fields = ("=policy__name",)
    ordering = ("policy", "number")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Let links narrow the list to a policy."""
        return lookup == "policy" or bool(super().lookup_allowed(lookup, value, request))


class _HeldAdmin(RowsAdmin):
    """Rows that a user, a group or a role holds."""

    list_select_related: ClassVar[tuple[str, ...]] = ("user", "group", "role")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Let links narrow the list to a holder or a policy."""
        return lookup in ("user", "group", "role", "policy") or bool(super().lookup_allowed(lookup, value, request))

    @column(description="Holder")
    def holder(self, row: InlinePolicy | PolicyAttachment) -> SafeString:
        """Link to the holder."""
        for name, model in (("user", "user"), ("group", "usergroup"), ("role", "role")):
            held_by = getattr(row, name)
            if held_by is not None:
                return row_link(f"accesscontrol_{model}", held_by.pk, f"{name} {held_by.name}")
        raise AssertionError("a constraint keeps one holder")


@admin.register(InlinePolicy)
class InlinePolicyAdmin(_HeldAdmin):
    """Policies that belong to one holder."""

    list_display = ("name", "holder")
    search_fields = ("name",)
    ordering = ("name", "pk")


@admin.register(PolicyAttachment)
class PolicyAttachmentAdmin(_HeldAdmin):
    """Who has which managed policy."""

    list_display = ("policy", "holder")
    list_select_related = ("policy", "user", "group", "role")
    search_fields = ("=policy__name",)
    ordering = ("pk",)


@admin.register(OidcProvider)
class OidcProviderAdmin(RowsAdmin):
    """Identity providers that accounts trust."""

    list_display = ("url", "account", "created_at")
    list_select_related = ("account",)
    search_fields = ("url", "=account__name")
    ordering = ("url",)
