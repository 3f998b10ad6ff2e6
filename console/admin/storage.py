"""Storage in the admin: what `chunks.admin` shows, with the ways to the extents above and between the tables."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from chunks import topology
from chunks.models import Chunk, FragmentFault, Garbage, Node, Segment, StorageClass, Zone
from chunks.records import NodeState
from console.admin.rows import CappedPaginator, RowsAdmin, column, row_link, rows_link
from console.sizes import human_size

for _model in (Zone, Node, StorageClass, Chunk, FragmentFault, Garbage):
    if admin.site.is_registered(_model):  # by chunks.admin
        admin.site.unregister(_model)

_STATE_COLOURS = {
    NodeState.ACTIVE.value: "success",
    NodeState.DRAINING.value: "warning",
    NodeState.READ_ONLY.value: "info",
    NodeState.DOWN.value: "danger",
}


def node_links(node_ids: list[int] | None) -> SafeString:
    """Link to nodes by name, as this process has known them for some seconds at most."""
    nodes = topology.current().nodes
    links = [(row_link("chunks_node", one, nodes[one].name if one in nodes else one),) for one in node_ids or []]
    return format_html_join(" ", "{}", links) if links else SafeString("none")


@admin.register(Zone)
class ZoneAdmin(RowsAdmin):
    """Zones."""

    editable = ("name", "region")
    list_display = ("name", "region", "nodes_link")
    search_fields = ("name",)
    ordering = ("name",)

    @column(description="Nodes")
    def nodes_link(self, zone: Zone) -> SafeString:
        """Link to the zone's nodes."""
        return rows_link("chunks_node", "show", zone__id__exact=zone.pk)


@admin.register(Node)
class NodeAdmin(RowsAdmin):
    """Nodes, whose state, weight, labels and capacity people change. Processes follow within seconds."""

    editable = ("state", "weight", "labels", "capacity_bytes")
    hidden = ("sealed_options",)
    more_fields = ("chunks_link", "faults_link")
    list_display = ("name", "zone_link", "state_label", "weight", "location", "chunks_link", "faults_link")
    list_filter = ("state", "zone")
    search_fields = ("name", "location")
    list_select_related = ("zone",)
    ordering = ("id",)

    @column(description="Zone")
    def zone_link(self, node: Node) -> SafeString:
        """Link to the zone."""
        return row_link("chunks_zone", node.zone_id, node.zone)

    @display(description="State", label=_STATE_COLOURS)  # type: ignore[untyped-decorator]  # unfold has no types
    def state_label(self, node: Node) -> tuple[str, str]:
        """Show the state in its colour."""
        return node.state, node.get_state_display()

    @column(description="Chunks")
    def chunks_link(self, node: Node) -> SafeString:
        """Link to chunks with a fragment here."""
        return rows_link("chunks_chunk", "show", node=node.pk)

    @column(description="Faults")
    def faults_link(self, node: Node) -> SafeString:
        """Link to what is wrong with fragments here."""
        return rows_link("chunks_fragmentfault", "show", node=node.pk)


@admin.register(StorageClass)
class StorageClassAdmin(RowsAdmin):
    """Storage classes, which people add and change; what is written already stays as it is."""

    editable = (
        "chunk_size_bytes", "small_scheme", "large_scheme", "large_from_bytes", "compression_level", "node_label",
    )  # fmt: skip
    hidden = ("id",)
    list_display = (
        "name", "chunk_size", "small_scheme", "large_scheme", "large_from", "compression_level", "node_label",
    )  # fmt: skip
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Say yes to who may: nothing but a row makes a class."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let a new class be named; versions name theirs, so that it keeps its name."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    @column(description="Chunk size")
    def chunk_size(self, row: StorageClass) -> str:
        """Show the size."""
        return human_size(row.chunk_size_bytes)

    @column(description="Large from")
    def large_from(self, row: StorageClass) -> str:
        """Show the size."""
        return human_size(row.large_from_bytes)


class NodeFilter(admin.SimpleListFilter):
    """Rows that name a node."""

    title = "node"
    parameter_name = "node"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        """Return the nodes."""
        return [(str(key), name) for key, name in Node.objects.order_by("id").values_list("id", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        """Apply the choice."""
        chosen = self.value()
        if not chosen or not chosen.isdecimal():
            return queryset
        if queryset.model is Chunk:
            return queryset.filter(node_ids__contains=[int(chosen)])
        return queryset.filter(node_id=int(chosen))


class ByChunkAdmin(RowsAdmin):
    """Rows that are found by an id: that of a chunk, unless they say otherwise."""

    search_fields = ("=chunk_id",)
    search_help_text = "the id of a chunk"
    search_field = "chunk_id"

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002  Django\'s signature
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the whole id; what is no id finds nothing."""
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(**{self.search_field: term}), False
        except (ValidationError, ValueError):
            return queryset.none(), False


@admin.register(Chunk)
class ChunkAdmin(ByChunkAdmin):
    """Chunks, found by id or by node."""

    list_display = ("id", "size", "scheme", "nodes", "created_at", "extents_link")
    more_fields = ("nodes", "extents_link", "faults_link")
    list_filter = (NodeFilter,)
    ordering = ("-id",)  # ids begin with the time: the newest, by the primary key
    search_field = "id"

    @column(description="Size")
    def size(self, row: Chunk) -> str:
        """Show the size."""
        return human_size(row.size_bytes)

    @column(description="Nodes")
    def nodes(self, row: Chunk) -> SafeString:
        """Link to the nodes, in the order of the fragments."""
        return node_links(row.node_ids)

    @column(description="Extents")
    def extents_link(self, row: Chunk) -> SafeString:
        """Link to the extents that lie in the chunk."""
        return rows_link("objects_extent", "show", chunk=row.pk)

    @column(description="Faults")
    def faults_link(self, row: Chunk) -> SafeString:
        """Link to what is wrong with its fragments."""
        return rows_link("chunks_fragmentfault", "show", chunk_id=row.pk)


@admin.register(Segment)
class SegmentAdmin(ByChunkAdmin):
    """Files of small chunks. What is alive in them is counted by the collector, which also compacts them."""

    list_display = ("id", "storage_class", "scheme", "nodes_links", "size", "alive", "created_at", "sealed_at")
    more_fields = ("nodes_links",)
    list_filter = ("storage_class", "scheme")
    search_field = "id"
    search_help_text = "the id of a segment"
    ordering = ("-id",)  # ids begin with their time

    @column(description="Nodes")
    def nodes_links(self, segment: Segment) -> SafeString:
        """Link to the nodes that hold a copy."""
        return node_links(segment.node_ids)

    @column(description="Size of a copy")
    def size(self, segment: Segment) -> str:
        """Say how large a copy is, once that is known."""
        return "" if segment.size_bytes is None else human_size(segment.size_bytes)

    @column(description="Alive")
    def alive(self, segment: Segment) -> str:
        """Say how much of a copy chunks still refer to, as it was last counted."""
        return "" if segment.live_bytes is None else human_size(segment.live_bytes)


@admin.register(FragmentFault)
class FragmentFaultAdmin(ByChunkAdmin):
    """What waits for the repairer."""

    list_display = ("chunk_link", "fragment_index", "node", "kind", "detected_at", "attempts", "next_attempt_at")
    more_fields = ("chunk_link", "node")
    list_filter = ("kind", NodeFilter)
    ordering = ("next_attempt_at",)

    @column(description="Chunk")
    def chunk_link(self, row: FragmentFault) -> SafeString:
        """Link to the chunk."""
        return rows_link("chunks_chunk", row.chunk_id, q=row.chunk_id)

    @column(description="Node")
    def node(self, row: FragmentFault) -> SafeString:
        """Link to the node."""
        return node_links([row.node_id])


@admin.register(Garbage)
class GarbageAdmin(ByChunkAdmin):
    """What waits for the collector."""

    list_display = ("chunk_id", "state", "nodes", "asked_at", "next_attempt_at")
    list_filter = ("state",)
    ordering = ("state", "next_attempt_at")
    paginator = CappedPaginator

    @column(description="Nodes")
    def nodes(self, row: Garbage) -> SafeString:
        """Link to the nodes that still hold fragments."""
        return node_links(row.node_ids)
