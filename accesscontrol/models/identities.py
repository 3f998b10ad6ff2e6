"""Groups and roles of an account, and the identity providers that it trusts.

Names are unique in whatever case, and keep the case in which they were given.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now, Upper

from accesscontrol.models.accounts import Account, User
from accesscontrol.models.unique_ids import new_group_unique_id, new_role_unique_id


class UserGroup(models.Model):
    """A group of users, who have its policies beside their own. Django's own groups are of the console's operators."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="user_groups")
    name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=32, unique=True, default=new_group_unique_id, editable=False)
    members = models.ManyToManyField(User, related_name="user_groups", blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["account", "name"]
        constraints: ClassVar = [
            # Finds a group by its name, and lists an account's groups in order.
            models.UniqueConstraint("account", Upper("name"), name="one_group_name_per_account"),
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """What somebody may become for a while, if the role's trust policy lets them."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="roles")
    name = models.CharField(max_length=64)
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=32, unique=True, default=new_role_unique_id, editable=False)
    trust_policy = models.TextField(help_text="Who may assume the role: a policy document.")
    description = models.CharField(max_length=1000, blank=True)
    session_seconds_max = models.PositiveIntegerField(default=3600)
    tags = models.JSONField(default=dict, blank=True)
    boundary = models.ForeignKey(
        "ManagedPolicy", on_delete=models.PROTECT, null=True, blank=True, related_name="bounded_roles"
    )
    sessions_valid_from = models.DateTimeField(
        null=True, blank=True, help_text="Sessions that were issued before are refused."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_region = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering: ClassVar = ["account", "name"]
        constraints: ClassVar = [
            # Finds a role by its name, and lists an account's roles in order.
            models.UniqueConstraint("account", Upper("name"), name="one_role_name_per_account"),
        ]

    def __str__(self) -> str:
        return self.name


class OidcProvider(models.Model):
    """An OpenID Connect provider whose tokens an account's roles may trust.

    `url` is the issuer without `https://`; with a plain `http://` that is kept.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="oidc_providers")
    url = models.CharField(max_length=255)
    client_ids = models.JSONField(default=list, blank=True)
    thumbprints = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["account", "url"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "url"], name="one_provider_url_per_account"),
        ]

    def __str__(self) -> str:
        return self.url
