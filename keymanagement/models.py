"""The local key ring: keys and the sealed material of their versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Key(models.Model):
    """A named key that wraps data keys."""

    name = models.CharField(max_length=128, unique=True)
    is_enabled = models.BooleanField(default=True, help_text="A disabled key wraps nothing and opens nothing.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class KeyVersion(models.Model):
    """One version of a key. The newest wraps; older ones stay to open what they have wrapped."""

    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    sealed_material = models.BinaryField(help_text="Sealed by accesscontrol.secrets; never shown.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["key", "version"]
        constraints: ClassVar = [
            # Reading a key with all its versions; two rotations at once can't make the same version.
            models.UniqueConstraint(fields=["key", "version"], name="one_key_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"
