"""What is counted of a bucket: its usage, its requests, the ages of its objects."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class BucketUsage(models.Model):
    """One of the counters whose sum is a bucket's usage. Writers are spread over slots so that none is hot."""

    bucket_id = models.BigIntegerField()
    slot = models.SmallIntegerField()
    object_count = models.BigIntegerField(db_default=0, help_text="Keys with a current object.")
    version_count = models.BigIntegerField(db_default=0, help_text="Visible versions, delete markers not counted.")
    size_bytes = models.BigIntegerField(db_default=0, help_text="Bytes of all visible versions.")
    history_count = models.BigIntegerField(db_default=0, help_text="Recoverable versions that S3 no longer sees.")
    history_bytes = models.BigIntegerField(db_default=0, help_text="Bytes of those.")
    annotation_bytes = models.BigIntegerField(db_default=0, help_text="Bytes of annotations of visible versions.")

    class Meta:
        constraints: ClassVar = [
            # The counter that a write adds to, and the sum over a bucket.
            models.UniqueConstraint(fields=["bucket_id", "slot"], name="one_usage_counter_per_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id}/{self.slot}"


class BucketMetric(models.Model):
    """What a metrics configuration's filter has seen in an hour; sizes in bytes, times in microseconds."""

    bucket_id = models.BigIntegerField()
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    hour = models.DateTimeField()
    all_requests = models.BigIntegerField(db_default=0)
    get_requests = models.BigIntegerField(db_default=0)
    put_requests = models.BigIntegerField(db_default=0)
    delete_requests = models.BigIntegerField(db_default=0)
    head_requests = models.BigIntegerField(db_default=0)
    post_requests = models.BigIntegerField(db_default=0)
    list_requests = models.BigIntegerField(db_default=0)
    bytes_downloaded = models.BigIntegerField(db_default=0)
    bytes_uploaded = models.BigIntegerField(db_default=0)
    errors_4xx = models.BigIntegerField(db_default=0)
    errors_5xx = models.BigIntegerField(db_default=0)
    latency_us = models.BigIntegerField(db_default=0, help_text="Of all requests together.")
    object_count = models.BigIntegerField(null=True, help_text="Where it was measured in that hour.")
    size_bytes = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            # The hour that a run adds to; a bucket's figures in order.
            models.UniqueConstraint(fields=["bucket_id", "name", "hour"], name="one_metric_per_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id} {self.name} {self.hour}"


class MetricsProgress(models.Model):
    """Up to which row of the audit log requests have been counted: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    rolled_id = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"up to {self.rolled_id}"


class AnalysisDay(models.Model):
    """What a storage class analysis has found in a day, of one class and one group of ages; sizes in bytes."""

    bucket_id = models.BigIntegerField()
    name = models.CharField(max_length=64, help_text="The id of the configuration.")
    day = models.DateField()
    storage_class = models.CharField(max_length=32)
    age_group = models.CharField(max_length=8)
    object_count = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    uploaded_bytes = models.BigIntegerField()
    retrieved_bytes = models.BigIntegerField()
    get_requests = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            # The day that is found; a configuration's days in order.
            models.UniqueConstraint(
                fields=["bucket_id", "name", "day", "storage_class", "age_group"], name="one_analysis_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.bucket_id} {self.name} {self.day} {self.storage_class} {self.age_group}"
