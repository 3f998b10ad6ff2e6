"""What all pages of the admin share: rows that services alone write, counts that stop, links from row to row."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import TextFilter
from unfold.views import ChangeList

from buckets.models import Bucket

COUNTED_MAX = 10_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not generic when it runs
    """Counts no further than COUNTED_MAX, so that no page reads a whole table; what lies behind is found by search."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or COUNTED_MAX. One statement that reads no more rows than that."""
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[:COUNTED_MAX].count()
        return len(rows)


class RowsChangeList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """A page of rows that does not offer to show all where nothing is left out."""

    def get_results(self, request: HttpRequest) -> None:
        """Take the rows; without search and filters their count is the full one."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count


class RowsAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Pages of a table: to look at, except for the fields named in `editable`."""

    editable: ClassVar[tuple[str, ...]] = ()
    hidden: ClassVar[tuple[str, ...]] = ()
    more_fields: ClassVar[tuple[str, ...]] = ()
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    sortable_by: ClassVar[tuple[str, ...]] = ()  # a click on a heading must not sort a million rows
    compressed_fields = True

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RowsChangeList]:  # noqa: ARG002
        """Return the class of the list pages."""
        return RowsChangeList

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  Django's signature
        """Say no: services make rows."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Say no: services remove rows, with what depends on them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say yes only where something can be changed."""
        return bool(self.editable) and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002
        """Return every field but the hidden ones, the columns that were made up last."""
        return [
            *(field.name for field in self.opts.fields if field.name not in self.hidden),
            *self.more_fields,
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field but the editable ones."""
        return [name for name in self.get_fields(request, obj) if name not in self.editable]


class BucketNameFilter(TextFilter):  # type: ignore[misc]  # unfold has no types
    """Narrows a table of objects to one bucket, by name."""

    title = "bucket"
    parameter_name = "bucket"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Return the rows of the named bucket; none where there is none of the name."""
        name = self.value()
        if not name:
            return queryset
        bucket_id = Bucket.objects.filter(name=name).values_list("pk", flat=True).first()
        return queryset.none() if bucket_id is None else queryset.filter(bucket_id=bucket_id)


def row_link(model: str, key: Any, text: object) -> SafeString:
    """Link to the page of a row; `model` is `app_model`."""
    return format_html('<a class="row-link" href="{}">{}</a>', reverse(f"admin:{model}_change", args=[key]), text)


def rows_link(model: str, text: object, **filters: Any) -> SafeString:
    """Link to those rows of a table that pass the filters."""
    address = reverse(f"admin:{model}_changelist") + "?" + urlencode(filters)
    return format_html('<a class="row-link" href="{}">{}</a>', address, text)


def bucket_link(bucket_id: int, name: str | None) -> SafeString:
    """Link to a bucket, or say that it is gone."""
    return row_link("buckets_bucket", bucket_id, name) if name else format_html("<i>gone</i> ({})", bucket_id)


def split_key_search(term: str) -> tuple[int | None, str]:
    """Read `bucket/beginning of key`; no bucket id where there is no such bucket. One statement."""
    name, _, key = term.strip().partition("/")
    return Bucket.objects.filter(name=name).values_list("pk", flat=True).first(), key


column = admin.display
