"""What workers have done for objects and buckets, and what is still to do: restores, lifecycle, reports, replication."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from objects.models.versions import ObjectVersion


class RestoreTier(models.IntegerChoices):
    """How urgent a restore is; the most urgent first."""

    EXPEDITED = 0
    STANDARD = 1
    BULK = 2


class Restore(models.Model):
    """That an archived version was asked for, and until when it may be read. Gone when its days are over."""

    version = models.OneToOneField(ObjectVersion, on_delete=models.CASCADE, related_name="restore")
    days = models.IntegerField()
    tier = models.SmallIntegerField(choices=RestoreTier)
    requested_at = models.DateTimeField(db_default=Now())
    restored_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(restored_at=None, expires_at=None) | Q(restored_at__isnull=False, expires_at__isnull=False),
                name="restored_until_a_time",
            ),
        ]
        indexes: ClassVar = [
            # The worker: what is to be opened, and what is to be closed.
            models.Index(fields=["tier", "requested_at"], condition=Q(restored_at=None), name="restores_pending"),
            models.Index(fields=["expires_at"], condition=~Q(expires_at=None), name="restores_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} until {self.expires_at}"


class AccessTier(models.IntegerChoices):
    """Where a version in INTELLIGENT_TIERING is: to be read, or archived; the warmest first."""

    ACCESS = 0
    ARCHIVE_ACCESS = 1
    DEEP_ARCHIVE_ACCESS = 2


class Monitoring(models.Model):
    """When a version in INTELLIGENT_TIERING was last read, to the day, and where it is since.

    Without a row it was not read since it came, and is to be read.
    """

    version = models.OneToOneField(ObjectVersion, on_delete=models.CASCADE, primary_key=True, related_name="monitoring")
    accessed_at = models.DateTimeField()
    tier = models.SmallIntegerField(choices=AccessTier, default=AccessTier.ACCESS, db_default=AccessTier.ACCESS)

    def __str__(self) -> str:
        return f"{self.version_id} read at {self.accessed_at}"


class RenameToken(models.Model):
    """A client's name for a rename that was carried out, so that repeating it is no second one."""

    bucket_id = models.BigIntegerField()
    token = models.CharField(max_length=64)
    parameters = models.CharField(max_length=64, help_text="A digest of what the rename was.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bucket_id", "token"], name="one_rename_per_token"),
        ]
        indexes: ClassVar = [
            # The collector: those that have been remembered long enough.
            models.Index(fields=["created_at"], name="rename_tokens_by_age"),
        ]

    def __str__(self) -> str:
        return self.token


class LifecycleRun(models.Model):
    """Up to which midnight a bucket's lifecycle rules have been carried out, and which rules these were."""

    bucket_id = models.BigIntegerField(unique=True)
    day_started_at = models.DateTimeField()
    configured_at = models.DateTimeField(help_text="When the rules were stored that have been carried out.")

    def __str__(self) -> str:
        return f"{self.bucket_id} through {self.day_started_at}"


class ReportRun(models.Model):
    """For which day a report of a bucket was last delivered: an inventory, or an analysis."""

    bucket_id = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    day_started_at = models.DateTimeField()
    configured_at = models.DateTimeField(help_text="When the configuration was stored that has been carried out.")
    last_error = models.TextField(blank=True, db_default="", help_text="Why it could not be delivered.")

    class Meta:
        constraints: ClassVar = [
            # Which reports are due.
            models.UniqueConstraint(fields=["bucket_id", "kind", "name"], name="one_run_per_report"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.bucket_id} for {self.day_started_at}"


class Replication(models.Model):
    """A version, delete marker or change on its way to another bucket. The order of the ids is that of a key's writers."""

    bucket_id = models.BigIntegerField()
    rule_id = models.CharField(max_length=255)
    role_arn = models.CharField(max_length=2048, db_default="", default="", help_text="As whom it is carried.")
    key = models.TextField(db_collation="C")
    version_row = models.BigIntegerField()
    kind = models.CharField(max_length=7, help_text="version, marker or change.")
    destination_name = models.CharField(max_length=63)
    remote_name = models.CharField(max_length=63, blank=True, db_default="", help_text="Of another store.")
    storage_class = models.CharField(max_length=32, blank=True)
    takes_ownership = models.BooleanField()
    kms_key = models.CharField(max_length=2048, blank=True)
    queued_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, db_default="")

    class Meta:
        indexes: ClassVar = [
            # The worker: what of a bucket is to go, oldest first.
            models.Index(fields=["bucket_id", "id"], name="replications_of_bucket"),
            # The worker: keys whose next version waits after a failure.
            models.Index(
                fields=["bucket_id", "destination_name", "key"],
                condition=Q(attempts__gt=0),
                name="failing_replications",
            ),
            # Whether a version has arrived everywhere.
            models.Index(fields=["version_row"], name="replications_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.key} → {self.destination_name}"
