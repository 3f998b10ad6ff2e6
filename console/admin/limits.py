"""Limits in the admin: quotas and rates of accounts, buckets and access keys, for operators to change."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from limits.models import Limit


@admin.register(Limit)
class LimitAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Limits."""

    list_display = ("__str__", "objects_max", "bytes_max", "requests_per_second", "bytes_per_second")
    raw_id_fields = ("account", "bucket", "access_key")
    list_select_related = ("account", "bucket", "access_key")
