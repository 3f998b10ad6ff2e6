"""What the console knows of its users beside their passwords: second factors, and who they are elsewhere.

Not for: anything that S3 requests need; those never meet a console session.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accesscontrol.models import UserGroup


class SecondFactor(models.Model):
    """An authenticator app that shares a secret with the console (TOTP, RFC 6238), and codes for when it is lost.

    Asked for at sign-in once it is confirmed; before, it is an offer that the next one replaces.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor")
    sealed_secret = models.BinaryField(help_text="Sealed by accesscontrol.secrets; shown once, when it is set up.")
    last_step = models.BigIntegerField(default=0, help_text="The last 30 s step whose code was used: none works twice.")
    recovery_digests = ArrayField(models.TextField(), default=list, help_text="SHA-256 of the codes that are left.")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "second factor"

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class ExternalIdentity(models.Model):
    """Who a user is at the OpenID Connect provider: the pair that never changes there (OpenID Connect Core, 5.7)."""

    issuer = models.TextField()
    subject = models.TextField()
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="external_identity")
    last_signed_in_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "external identities"
        constraints = (
            # Finds the user who signs in.
            models.UniqueConstraint(fields=("issuer", "subject"), name="one_user_per_external_identity"),
        )

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class ExternalGroup(models.Model):
    """A group at the provider whose members are members of a group here, and have its policies."""

    claim = models.TextField(help_text="The group's name as the provider's tokens have it.")
    user_group = models.ForeignKey(UserGroup, on_delete=models.CASCADE, related_name="external_groups")

    class Meta:
        constraints = (
            # Finds what the groups of somebody who signs in mean here.
            models.UniqueConstraint(fields=("claim", "user_group"), name="external_group_mapped_once"),
        )

    def __str__(self) -> str:
        return f"{self.claim} → {self.user_group}"
