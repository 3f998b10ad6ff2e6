"""Multipart uploads and their parts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from objects.models.versions import ObjectVersion


class MultipartUpload(models.Model):
    """An object in the making. A completed upload is kept for a while, so that completing it again answers the same."""

    upload_id = models.CharField(max_length=64, unique=True)
    bucket_id = models.BigIntegerField()
    key = models.TextField(db_collation="C")
    owner_id = models.CharField(max_length=12)
    content_type = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    tags = models.JSONField(default=dict)
    storage_class = models.CharField(max_length=32)
    checksum_algorithm = models.CharField(max_length=16, blank=True)
    checksum_type = models.CharField(max_length=16, blank=True)
    encryption = models.JSONField(default=dict, db_default={}, help_text="As the version's; all parts share its key.")
    lock_mode = models.CharField(max_length=10, blank=True, db_default="")
    retain_until = models.DateTimeField(null=True)
    legal_hold = models.BooleanField(null=True)
    acl = models.JSONField(null=True)
    initiator_id = models.CharField(max_length=12, blank=True, db_default="", help_text="The account that began it.")
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True)
    completed_version = models.ForeignKey(
        ObjectVersion, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    completed_parts = models.CharField(max_length=64, blank=True, help_text="A digest of the completed part list.")

    class Meta:
        indexes: ClassVar = [
            # ListMultipartUploads, and whether a bucket has any.
            models.Index(fields=["bucket_id", "key", "id"], condition=Q(completed_at=None), name="uploads_in_progress"),
            # The collector: stale uploads, and completed ones that have been remembered long enough.
            models.Index(fields=["created_at"], name="uploads_by_age"),
        ]

    def __str__(self) -> str:
        return self.upload_id


class Part(models.Model):
    """An uploaded part of a multipart upload."""

    upload = models.ForeignKey(MultipartUpload, on_delete=models.CASCADE, related_name="parts", db_index=False)
    part_number = models.IntegerField()
    size_bytes = models.BigIntegerField()
    etag = models.CharField(max_length=64)
    checksum_algorithm = models.CharField(max_length=16, blank=True)
    checksum = models.CharField(max_length=128, blank=True)
    modified_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["upload", "part_number"], name="one_part_per_number"),
            models.CheckConstraint(condition=Q(part_number__range=(1, 10_000)), name="part_number_in_range"),
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} part {self.part_number}"
