"""Objects in the admin: keys, versions, extents, uploads, usage. Statements of objects/sql alone write these tables."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from buckets.models import Bucket
from console.admin.rows import (
    BucketNameFilter,
    RowsAdmin,
    bucket_link,
    column,
    row_link,
    rows_link,
    split_key_search,
)
from console.keys import visible
from console.sizes import human_size
from objects.listing import successor
from objects.models import BucketUsage, Extent, MultipartUpload, Object, ObjectVersion, Part


class InBucketAdmin(RowsAdmin):
    """Rows that name their bucket by id; a search is `bucket/beginning of key`."""

    search_fields = ("key",)
    search_help_text = "bucket/beginning of the key"
    key_path: ClassVar[str] = "key"
    list_filter: ClassVar[tuple[Any, ...]] = (BucketNameFilter,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Add the bucket's name, one probe for each row that is shown."""
        name = Bucket.objects.filter(pk=OuterRef("bucket_id")).values("name")
        rows: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = rows.annotate(bucket_name=Subquery(name))
        return named

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002  Django\'s signature
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        """Find keys by their beginning within a bucket: a range of the index on (bucket, key)."""
        if not search_term.strip():
            return queryset, False
        bucket_id, beginning = split_key_search(search_term)
        if bucket_id is None:
            return queryset.none(), False
        found = queryset.filter(bucket_id=bucket_id)
        if self.key_path != "key":
            found = found.filter(object__bucket_id=bucket_id)
        if beginning:
            found = found.filter(**{f"{self.key_path}__gte": beginning})
            end = successor(beginning)
            if end is not None:
                found = found.filter(**{f"{self.key_path}__lt": end})
        return found, False

    @column(description="Bucket")
    def bucket_link(self, row: Any) -> SafeString:
        """Link to the bucket."""
        return bucket_link(row.bucket_id, row.bucket_name)


@admin.register(Object)
class ObjectAdmin(InBucketAdmin):
    """Keys."""

    list_display = ("shown_key", "bucket_link", "is_listed", "versions_link")
    more_fields = ("bucket_link", "versions_link")
    ordering = ("bucket_id", "key")

    @column(description="Key")
    def shown_key(self, row: Object) -> str:
        """Show the key, controls as escapes."""
        return visible(row.key)

    @column(description="Versions")
    def versions_link(self, row: Object) -> SafeString:
        """Link to the key's versions."""
        return rows_link("objects_objectversion", "show", object=row.pk)


class VisibilityFilter(admin.SimpleListFilter):
    """Versions that S3 sees, or those that history keeps."""

    title = "visibility"
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Return the choices."""
        return [("visible", "Visible to S3"), ("history", "In history")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ObjectVersion]) -> QuerySet[ObjectVersion]:  # noqa: ARG002
        """Apply the choice."""
        if self.value() in {"visible", "history"}:
            return queryset.filter(deleted_at__isnull=self.value() == "visible")
        return queryset


@admin.register(ObjectVersion)
class ObjectVersionAdmin(InBucketAdmin):
    """Versions and delete markers."""

    list_display = (
        "shown_key",
        "bucket_link",
        "version_id",
        "kind",
        "size",
        "became_current_at",
        "deleted_at",
        "extents_link",
    )
    more_fields = ("bucket_link", "size", "extents_link")
    list_filter = (BucketNameFilter, VisibilityFilter, "is_delete_marker")
    key_path = "object__key"
    ordering = ("-id",)
    list_select_related = ("object",)

    @column(description="Key")
    def shown_key(self, row: ObjectVersion) -> str:
        """Show the key, controls as escapes."""
        return visible(row.object.key)

    @column(description="Kind")
    def kind(self, row: ObjectVersion) -> str:
        """Say what it is."""
        return "delete marker" if row.is_delete_marker else "object"

    @column(description="Size")
    def size(self, row: ObjectVersion) -> str:
        """Show the size."""
        return human_size(row.size_bytes)

    @column(description="Extents")
    def extents_link(self, row: ObjectVersion) -> SafeString:
        """Link to the version's extents."""
        return rows_link("objects_extent", "show", version=row.pk)


@admin.register(Extent)
class ExtentAdmin(RowsAdmin):
    """Extents: which bytes lie in which chunk."""

    list_display = ("id", "of", "offset_bytes", "size", "chunk_link")
    more_fields = ("of", "chunk_link")
    search_fields = ("=chunk__id",)
    search_help_text = "the id of a chunk"
    ordering = ("-id",)

    @column(description="Of")
    def of(self, row: Extent) -> SafeString:
        """Link to the version or part."""
        if row.version_id is not None:
            return row_link("objects_objectversion", row.version_id, f"version {row.version_id}")
        return row_link("objects_part", row.part_id, f"part {row.part_id}")

    @column(description="Size")
    def size(self, row: Extent) -> str:
        """Show the size."""
        return human_size(row.size_bytes)

    @column(description="Chunk")
    def chunk_link(self, row: Extent) -> SafeString:
        """Link to the chunk."""
        return row_link("chunks_chunk", row.chunk_id, row.chunk_id)


@admin.register(MultipartUpload)
class MultipartUploadAdmin(InBucketAdmin):
    """Uploads in parts, in progress or just completed."""

    list_display = ("upload_id", "bucket_link", "shown_key", "created_at", "completed_at", "parts_link")
    more_fields = ("bucket_link", "parts_link")
    ordering = ("-created_at",)

    @column(description="Key")
    def shown_key(self, row: MultipartUpload) -> str:
        """Show the key, controls as escapes."""
        return visible(row.key)

    @column(description="Parts")
    def parts_link(self, row: MultipartUpload) -> SafeString:
        """Link to the parts."""
        return rows_link("objects_part", "show", upload=row.pk)


@admin.register(Part)
class PartAdmin(RowsAdmin):
    """Parts of uploads."""

    list_display = ("part_number", "upload_link", "size", "etag", "modified_at", "extents_link")
    more_fields = ("upload_link", "extents_link")
    search_fields = ("=upload__upload_id",)
    search_help_text = "the id of an upload"
    ordering = ("upload", "part_number")
    list_select_related = ("upload",)

    @column(description="Upload")
    def upload_link(self, row: Part) -> SafeString:
        """Link to the upload."""
        return row_link("objects_multipartupload", row.upload_id, row.upload)

    @column(description="Size")
    def size(self, row: Part) -> str:
        """Show the size."""
        return human_size(row.size_bytes)

    @column(description="Extents")
    def extents_link(self, row: Part) -> SafeString:
        """Link to the part's extents."""
        return rows_link("objects_extent", "show", part=row.pk)


@admin.register(BucketUsage)
class BucketUsageAdmin(InBucketAdmin):
    """The counters whose sums are the usage of buckets."""

    list_display = (
        "bucket_link",
        "slot",
        "object_count",
        "version_count",
        "size",
        "history_count",
        "history_size",
    )
    search_help_text = "the name of a bucket"
    ordering = ("bucket_id", "slot")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find the counters of a bucket; there is no key to look for."""
        return super().get_search_results(request, queryset, search_term.partition("/")[0])

    @column(description="Size")
    def size(self, row: BucketUsage) -> str:
        """Show the size."""
        return human_size(row.size_bytes)

    @column(description="In history")
    def history_size(self, row: BucketUsage) -> str:
        """Show the size."""
        return human_size(row.history_bytes)
