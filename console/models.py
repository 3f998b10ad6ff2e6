"""What the console knows of its users beside their passwords: the second factor.

Not for: anything that S3 requests need; those never meet a console session.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


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
