"""Storage in the admin: to look at. Only a node's state and weight are for people to change."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from chunks.models import Chunk, FragmentFault, Garbage, Node, NodeHealth, Relocation, StorageClass, Zone


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc] # unfold has no types
    """Shows rows that services alone write."""

    editable: ClassVar[tuple[str, ...]] = ()
    hidden: ClassVar[tuple[str, ...]] = ()
    list_per_page = 50
    show_full_result_count = False  # counting a large table costs more than the page

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Say no: rows are made by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Say no: with the row would go the knowledge of where bytes are."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say yes only where something can be changed."""
        return bool(self.editable) and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002
        """Return every field but the hidden ones."""
        return [field.name for field in self.opts.fields if field.name not in self.hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field but the editable ones."""
        return [name for name in self.get_fields(request, obj) if name not in self.editable]


@admin.register(Zone)
class ZoneAdmin(ReadOnlyAdmin):
    """Zones."""

    list_display = ("name", "region")


@admin.register(Node)
class NodeAdmin(ReadOnlyAdmin):
    """Nodes, whose state and weight people change. Processes follow within seconds."""

    editable = ("state", "weight")
    hidden = ("sealed_options",)
    list_display = ("name", "zone", "state", "weight", "store_kind", "location")
    list_filter = ("state", "zone")
    list_select_related = ("zone",)


@admin.register(NodeHealth)
class NodeHealthAdmin(ReadOnlyAdmin):
    """What the last look at each node found."""

    list_display = (
        "node", "last_seen_at", "unreachable_since", "latency_seconds", "free_bytes", "total_bytes", "last_error",
    )  # fmt: skip
    list_select_related = ("node",)


@admin.register(StorageClass)
class StorageClassAdmin(ReadOnlyAdmin):
    """Storage classes."""

    list_display = ("name", "chunk_size_bytes", "small_scheme", "large_scheme", "large_from_bytes")


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin):
    """Chunks, found by id."""

    list_display = ("id", "size_bytes", "scheme", "node_ids", "created_at")
    ordering = ("-id",)  # ids begin with the time: the newest, by the primary key
    search_fields = ("=id",)


@admin.register(FragmentFault)
class FragmentFaultAdmin(ReadOnlyAdmin):
    """What waits for the repairer."""

    list_display = ("chunk_id", "fragment_index", "node_id", "kind", "detected_at", "attempts", "next_attempt_at")
    list_filter = ("kind", "node_id")
    ordering = ("next_attempt_at",)
    search_fields = ("=chunk_id",)


@admin.register(Garbage)
class GarbageAdmin(ReadOnlyAdmin):
    """What waits for the collector."""

    list_display = ("chunk_id", "state", "asked_at", "next_attempt_at")
    list_filter = ("state",)
    ordering = ("state", "next_attempt_at")
    search_fields = ("=chunk_id",)


@admin.register(Relocation)
class RelocationAdmin(ReadOnlyAdmin):
    """Drains and rebalancings, and how far they have come."""

    list_display = (
        "kind", "node_id", "started_at", "updated_at", "finished_at", "examined_chunks", "moved_fragments",
        "moved_bytes", "failed_fragments", "outcome",
    )  # fmt: skip
    list_filter = ("kind",)
    ordering = ("-started_at",)
