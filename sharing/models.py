"""Share links. The token is not here: its hash is, so that a copy of the database opens nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from accesscontrol.models import User
from buckets.models import Bucket


class ShareLink(models.Model):
    """What is shared, by whom, and until when. A version's id pins the link to it; otherwise it is what is current."""

    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    bucket = models.ForeignKey(Bucket, on_delete=models.CASCADE, related_name="share_links")
    key = models.TextField(help_text="The key; of a prefix link, the prefix.", db_collation="C")
    is_prefix = models.BooleanField(default=False)
    version_id = models.CharField(max_length=64, blank=True)
    creator = models.ForeignKey(User, on_delete=models.CASCADE, related_name="share_links")
    label = models.CharField(max_length=200, blank=True)
    password = models.CharField(max_length=256, blank=True, help_text="As Django hashes passwords; empty: none.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, help_text="Null: until it is revoked.")
    downloads_max = models.PositiveIntegerField(null=True)
    download_count = models.PositiveIntegerField(default=0)
    last_download_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(downloads_max=None) | models.Q(download_count__lte=models.F("downloads_max")),
                name="no_more_downloads_than_allowed",
            ),
            models.CheckConstraint(
                condition=models.Q(is_prefix=False) | models.Q(version_id=""), name="prefix_links_pin_no_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id}/{self.key}"
