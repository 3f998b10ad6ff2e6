"""Buckets in the admin: all accounts' buckets with what they hold. Only the history window is for people to change."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.safestring import SafeString

from buckets.models import Bucket, BucketConfiguration, RemoteStore
from console.admin.rows import BucketNameFilter, RowsAdmin, bucket_link, column, row_link, rows_link
from console.sizes import human_duration, human_size
from objects.models import BucketMetric, BucketUsage, Replication


def _usage(field: str) -> Coalesce:
    """Sum a bucket's counters: at most 16 rows of the unique index one_usage_counter_per_slot."""
    counters = BucketUsage.objects.filter(bucket_id=OuterRef("pk")).order_by().values("bucket_id")
    return Coalesce(Subquery(counters.annotate(total=Sum(field)).values("total")), 0, output_field=IntegerField())


@admin.register(Bucket)
class BucketAdmin(RowsAdmin):
    """Buckets."""

    editable = ("history_seconds",)
    more_fields = ("objects", "size", "history", "configurations_link")
    list_display = ("name", "owner_link", "objects", "size", "history", "versioning_state", "window", "created_at")
    list_filter = ("versioning",)
    search_fields = ("^name", "=owner__name")
    ordering = ("name",)
    list_select_related = ("owner",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bucket]:
        """Add the usage."""
        rows: QuerySet[Bucket] = super().get_queryset(request)
        return rows.annotate(
            used_objects=_usage("object_count"), used_bytes=_usage("size_bytes"), used_history=_usage("history_bytes")
        )

    @column(description="Owner")
    def owner_link(self, bucket: Bucket) -> SafeString:
        """Link to the account."""
        return row_link("accesscontrol_account", bucket.owner_id, bucket.owner)

    @column(description="Objects")
    def objects(self, bucket: Bucket) -> SafeString:
        """Count them, and link to them."""
        return rows_link("objects_object", f"{bucket.used_objects:,}", bucket=bucket.name)  # type: ignore[attr-defined]

    @column(description="Size")
    def size(self, bucket: Bucket) -> str:
        """Say what its visible versions take."""
        return human_size(bucket.used_bytes)  # type: ignore[attr-defined]

    @column(description="In history")
    def history(self, bucket: Bucket) -> str:
        """Say what its history takes."""
        return human_size(bucket.used_history)  # type: ignore[attr-defined]

    @column(description="Versioning")
    def versioning_state(self, bucket: Bucket) -> str:
        """Say it in a word."""
        return str(bucket.versioning or "off")

    @column(description="History window")
    def window(self, bucket: Bucket) -> str:
        """Say how long it is."""
        return human_duration(bucket.history_seconds) if bucket.history_seconds else "none"

    @column(description="Configurations")
    def configurations_link(self, bucket: Bucket) -> SafeString:
        """Link to the bucket's documents."""
        return rows_link("buckets_bucketconfiguration", "show", bucket=bucket.pk)


@admin.register(BucketConfiguration)
class BucketConfigurationAdmin(RowsAdmin):
    """The documents of buckets."""

    list_display = ("bucket", "kind", "name", "updated_at")
    list_select_related = ("bucket",)
    search_fields = ("^bucket__name", "=kind")


@admin.register(BucketMetric)
class BucketMetricAdmin(RowsAdmin):
    """What metrics configurations have counted, by the hour."""

    list_display = (
        "bucket",
        "name",
        "hour",
        "all_requests",
        "downloaded",
        "uploaded",
        "errors_4xx",
        "errors_5xx",
        "latency",
        "object_count",
        "size",
    )
    list_filter = (BucketNameFilter,)
    ordering = ("-hour", "bucket_id", "name")

    @column(description="Bucket")
    def bucket(self, row: BucketMetric) -> SafeString:
        """Link to the bucket."""
        return bucket_link(
            row.bucket_id, Bucket.objects.filter(pk=row.bucket_id).values_list("name", flat=True).first()
        )

    @column(description="Downloaded")
    def downloaded(self, row: BucketMetric) -> str:
        """Show the size."""
        return human_size(row.bytes_downloaded)

    @column(description="Uploaded")
    def uploaded(self, row: BucketMetric) -> str:
        """Show the size."""
        return human_size(row.bytes_uploaded)

    @column(description="Mean latency")
    def latency(self, row: BucketMetric) -> str:
        """Show it in milliseconds."""
        return f"{row.latency_us / row.all_requests / 1000:,.1f} ms" if row.all_requests else ""

    @column(description="Size")
    def size(self, row: BucketMetric) -> str:
        """Show what is kept, where it was measured."""
        return "" if row.size_bytes is None else human_size(row.size_bytes)


@admin.register(Replication)
class ReplicationAdmin(RowsAdmin):
    """What waits to be replicated."""

    list_display = ("id", "source", "key", "kind", "destination_name", "queued_at", "attempts", "last_error")
    list_filter = (BucketNameFilter,)
    ordering = ("id",)

    @column(description="Bucket")
    def source(self, row: Replication) -> SafeString:
        """Link to the bucket."""
        return bucket_link(
            row.bucket_id, Bucket.objects.filter(pk=row.bucket_id).values_list("name", flat=True).first()
        )


@admin.register(RemoteStore)
class RemoteStoreAdmin(RowsAdmin):
    """Other stores that buckets can be replicated to."""

    editable = ("is_active", "account_id", "is_shared")
    hidden = ("sealed_secret_key",)
    list_display = ("name", "url", "region", "access_key_id", "account_id", "is_shared", "is_active")
    search_fields = ("^name",)
    ordering = ("name",)
