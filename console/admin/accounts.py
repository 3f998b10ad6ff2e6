"""Accounts, users and access keys in the admin. A new secret key is shown once, in the answer that made it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from accesscontrol.models import AccessKey, Account, User
from accesscontrol.selectors import forget_cached_keys
from accesscontrol.services import create_account
from console.admin.rows import RowsAdmin, column, row_link, rows_link
from console.services.access_keys import create_access_key, set_access_key_active, set_user_active

admin.site.unregister(Group)


def show_new_keys(request: HttpRequest, model_admin: Any, *, access_key_id: str, secret_key: str) -> HttpResponse:
    """Answer with a key pair in the clear. It is in no message, session or log, and cannot be shown again."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "New access key",
        "opts": model_admin.opts,
        "access_key_id": access_key_id,
        "secret_key": secret_key,
    }
    return TemplateResponse(request, "admin/new_access_key.html", context, headers={"Cache-Control": "no-store"})


@admin.register(Account)
class AccountAdmin(RowsAdmin):
    """Accounts. Making one makes its root user and that one's first key, too."""

    list_display = ("name", "id", "email", "users_link", "buckets_link", "created_at")
    more_fields = ("users_link", "buckets_link")
    search_fields = ("name", "email", "=id")
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say yes to who may add accounts."""
        return bool(request.user.has_perm("accesscontrol.add_account"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Ask for a name and an address; all else is drawn."""
        return super().get_fields(request, obj) if obj else ["name", "email", "display_name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Let nothing be changed later: S3 has shown it to others."""
        return super().get_readonly_fields(request, obj) if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        """Create the account by the service."""
        keys = create_account(name=obj.name, email=obj.email, display_name=obj.display_name or None)
        obj.pk, obj.new_keys = keys.account.pk, keys

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """Show the root user's first key."""
        keys = obj.new_keys
        return show_new_keys(request, self, access_key_id=keys.access_key_id, secret_key=keys.secret_key)

    @column(description="Users")
    def users_link(self, row: Account) -> SafeString:
        """Link to the account's users."""
        return rows_link("accesscontrol_user", "show", account=row.pk)

    @column(description="Buckets")
    def buckets_link(self, row: Account) -> SafeString:
        """Link to the account's buckets."""
        return rows_link("buckets_bucket", "show", owner=row.pk)


class NewUserForm(UserCreationForm):  # type: ignore[misc]  # unfold has no types
    """A user of an account, with a password for the console."""

    class Meta:
        model = User
        fields = ("username", "account", "name", "is_staff")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold has no types
    """Users."""

    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "account_link", "name", "is_root", "is_staff", "is_superuser", "active", "keys_link")
    list_filter = ("is_active", "is_staff", "is_superuser", "is_root")
    list_select_related = ("account",)
    search_fields = ("username", "name", "=account__name")
    ordering = ("username",)
    autocomplete_fields = ("account",)
    readonly_fields = ("username", "account", "name", "is_root", "is_active", "last_login", "created_at", "keys_link")
    filter_horizontal = ()
    actions = ("activate", "deactivate")
    fieldsets = (
        (None, {"fields": ("username", "account", "name", "is_root", "is_active")}),
        ("Console", {"fields": ("is_staff", "is_superuser", "groups")}),
        ("Dates and keys", {"fields": ("last_login", "created_at", "keys_link")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "account", "name", "is_staff", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Let superusers alone hand out rights; a new user has nothing that is fixed yet."""
        if obj is None:
            return ()
        rights = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *rights)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Say no: a user is deactivated, so that what he did keeps its name."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, and forget what was remembered of the user's keys."""
        super().save_model(request, obj, form, change)
        forget_cached_keys()

    @admin.action(description="Activate")
    def activate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let the users sign in and their keys be used."""
        for user in users:
            set_user_active(user_row=user.pk, is_active=True)
        messages.success(request, "Activated.")

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let the users neither sign in nor their keys be used. Whoever asks is left out."""
        for user in users.exclude(pk=request.user.pk or 0):
            set_user_active(user_row=user.pk, is_active=False)
        messages.success(request, "Deactivated. Whoever is signed in is so no longer.")

    @column(description="Account")
    def account_link(self, row: User) -> SafeString:
        """Link to the account."""
        return row_link("accesscontrol_account", row.account_id, row.account)

    @display(description="Active", boolean=True)  # type: ignore[untyped-decorator]  # unfold has no types
    def active(self, row: User) -> bool:
        """Tell whether the user may do anything."""
        return row.is_active

    @column(description="Access keys")
    def keys_link(self, row: User) -> SafeString:
        """Link to the user's keys."""
        return rows_link("accesscontrol_accesskey", "show", user=row.pk)


@admin.register(AccessKey)
class AccessKeyAdmin(RowsAdmin):
    """Access keys. The secret of one is shown when it is made, and never again."""

    editable = ("is_active",)
    hidden = ("sealed_secret_key",)
    list_display = ("access_key_id", "user_link", "is_active", "created_at")
    list_filter = ("is_active",)
    list_select_related = ("user",)
    search_fields = ("^access_key_id", "=user__username")
    ordering = ("access_key_id",)
    autocomplete_fields = ("user",)
    actions = ("activate", "deactivate")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say yes to who may add keys."""
        return bool(request.user.has_perm("accesscontrol.add_accesskey"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Ask for the user alone; the key is drawn."""
        return super().get_fields(request, obj) if obj else ["user"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Fix everything but the switch."""
        return super().get_readonly_fields(request, obj) if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        """Create or switch the key by the services."""
        if change:
            set_access_key_active(access_key_row=obj.pk, is_active=obj.is_active)
            return
        new = create_access_key(user=obj.user)
        obj.pk, obj.access_key_id, obj.new_secret_key = new.row.pk, new.row.access_key_id, new.secret_key

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:  # noqa: ARG002
        """Show the new key."""
        return show_new_keys(request, self, access_key_id=obj.access_key_id, secret_key=obj.new_secret_key)

    @admin.action(description="Activate")
    def activate(self, request: HttpRequest, keys: QuerySet[AccessKey]) -> None:
        """Let the keys be used."""
        self._set_active(request, keys, is_active=True)

    @admin.action(description="Deactivate")
    def deactivate(self, request: HttpRequest, keys: QuerySet[AccessKey]) -> None:
        """Let the keys not be used any more."""
        self._set_active(request, keys, is_active=False)

    def _set_active(self, request: HttpRequest, keys: QuerySet[AccessKey], *, is_active: bool) -> None:
        for key in keys:
            set_access_key_active(access_key_row=key.pk, is_active=is_active)
        messages.success(request, "Activated." if is_active else "Deactivated; every process follows within seconds.")

    @column(description="User")
    def user_link(self, row: AccessKey) -> SafeString:
        """Link to the user."""
        return row_link("accesscontrol_user", row.user_id, row.user)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Groups of console users, with what they may see and do in the admin."""
