"""How people sign in: their second factors, who they are at the identity provider, and what its groups mean here."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from console.admin.rows import RowsAdmin
from console.models import ExternalGroup, ExternalIdentity, SecondFactor


@admin.register(ExternalGroup)
class ExternalGroupAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Which groups of the provider are which groups here. Takes effect when somebody signs in the next time."""

    list_display = ("claim", "user_group", "account")
    list_select_related = ("user_group__account",)
    search_fields = ("claim", "=user_group__name")
    ordering = ("claim",)

    @admin.display(description="Account")
    def account(self, row: ExternalGroup) -> str:
        """Name the account whose users the group's members become."""
        return row.user_group.account.name


@admin.register(ExternalIdentity)
class ExternalIdentityAdmin(RowsAdmin):
    """Who users are at the provider. Deleting one lets the person in as a new user."""

    list_display = ("user", "subject", "issuer", "last_signed_in_at")
    list_select_related = ("user",)
    search_fields = ("=subject", "=user__username")
    ordering = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Say yes to who may delete them."""
        return bool(request.user.has_perm("console.delete_externalidentity"))


@admin.register(SecondFactor)
class SecondFactorAdmin(RowsAdmin):
    """Who signs in with a second factor. Deleting one helps somebody who lost it."""

    list_display = ("user", "confirmed_at")
    hidden = ("sealed_secret", "recovery_digests", "last_step")
    list_select_related = ("user",)
    search_fields = ("=user__username",)
    ordering = ("user",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Say yes to who may delete them."""
        return bool(request.user.has_perm("console.delete_secondfactor"))
