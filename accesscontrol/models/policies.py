"""Policies of identities: inline ones, managed ones with their versions, and what these are attached to.

Documents are kept as they were sent; `accesscontrol.policy` compiles them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper

from accesscontrol.models.accounts import Account, User
from accesscontrol.models.identities import Role, UserGroup
from accesscontrol.models.unique_ids import new_policy_unique_id

_ONE_HOLDER = (
    Q(user__isnull=False, group__isnull=True, role__isnull=True)
    | Q(user__isnull=True, group__isnull=False, role__isnull=True)
    | Q(user__isnull=True, group__isnull=True, role__isnull=False)
)


class ManagedPolicy(models.Model):
    """A policy with a name and versions of its own. Without an account it is built in, and of all accounts."""

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="managed_policies"
    )
    name = models.CharField(max_length=128)
    path = models.CharField(max_length=512, default="/")
    unique_id = models.CharField(max_length=32, unique=True, default=new_policy_unique_id, editable=False)
    description = models.CharField(max_length=1000, blank=True)
    tags = models.JSONField(default=dict, blank=True)
    default_version = models.PositiveIntegerField(default=1)
    newest_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["account", "name"]
        verbose_name_plural = "managed policies"
        constraints: ClassVar = [
            # Finds a policy by its name, and lists an account's policies in order; built-in ones have no account.
            models.UniqueConstraint("account", Upper("name"), name="one_policy_name_per_account", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """A version of a managed policy. The one that counts is the policy's default."""

    policy = models.ForeignKey(ManagedPolicy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["policy", "number"]
        constraints: ClassVar = [
            # Finds the default version of a policy.
            models.UniqueConstraint(fields=["policy", "number"], name="one_policy_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"


class InlinePolicy(models.Model):
    """A policy that belongs to one user, group or role."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="inline_policies")
    group = models.ForeignKey(
        UserGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="inline_policies"
    )
    role = models.ForeignKey(Role, on_delete=models.CASCADE, null=True, blank=True, related_name="inline_policies")
    name = models.CharField(max_length=128)
    document = models.TextField()

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "inline policies"
        constraints: ClassVar = [
            models.CheckConstraint(condition=_ONE_HOLDER, name="inline_policy_of_one_holder"),
            models.UniqueConstraint(
                "user", "group", "role", Upper("name"), name="one_inline_policy_per_name", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyAttachment(models.Model):
    """A managed policy that a user, group or role has. While it is attached, it can't be deleted."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments")
    group = models.ForeignKey(UserGroup, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments")
    policy = models.ForeignKey(ManagedPolicy, on_delete=models.PROTECT, related_name="attachments")

    class Meta:
        ordering: ClassVar = ["policy"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=_ONE_HOLDER, name="attachment_to_one_holder"),
            models.UniqueConstraint(
                fields=["user", "group", "role", "policy"], name="attached_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} of {self.user or self.group or self.role}"
