"""Regions, zones and nodes for programs of operators: what there is, how it fares, and changes.

A node is made by `manage.py add_node` alone: that reads and writes places of the machine, and loads the class of a storage,
which is more than a session in a browser should be good for.
"""

from __future__ import annotations

import math
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from chunks.errors import BadNode, NodeUnavailable
from chunks.models import Node, NodeHealth, Zone
from chunks.records import NodeState
from chunks.services import change_node, set_zone_region
from chunks.stores.django_storage.options import describe
from console.api.view import OperatorView


class HealthDocument(serializers.ModelSerializer[NodeHealth]):
    """What the last look at a node found."""

    class Meta:
        model = NodeHealth
        fields = (
            "probed_at", "last_seen_at", "unreachable_since", "last_error", "latency_seconds", "total_bytes", "free_bytes",
        )  # fmt: skip


class NodeDocument(serializers.ModelSerializer[Node]):
    """A node; its storage's options without secrets. `health` is null until it was looked at."""

    zone: serializers.Field[Any, Any, Any, Any] = serializers.CharField(source="zone.name")
    region = serializers.CharField(source="zone.region")
    options = serializers.SerializerMethodField()
    health = serializers.SerializerMethodField()

    class Meta:
        model = Node
        fields = (
            "name", "zone", "region", "state", "weight", "labels", "capacity_bytes", "store_kind", "location", "options",
            "identity", "created_at", "health",
        )  # fmt: skip

    def get_options(self, node: Node) -> str:
        """Describe the options."""
        return describe(node.options)

    def get_health(self, node: Node) -> dict[str, Any] | None:
        """Return the health: the reverse side of a one-to-one raises where there is none."""
        health = getattr(node, "health", None)
        return None if health is None else dict(HealthDocument(health).data)


class _Change(serializers.Serializer[Any]):
    """Members that may be left out; others than these are refused."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise ValidationError({"error": "expected an object"})
        unknown = sorted(str(name) for name in data.keys() - self.fields.keys())
        if unknown:
            raise ValidationError({"error": f"unknown: {', '.join(unknown)}"})
        return super().to_internal_value(data)


class NodeChange(_Change):
    """What may be changed of a node."""

    state = serializers.ChoiceField(choices=[state.value for state in NodeState])
    weight = serializers.FloatField()
    labels = serializers.ListField(child=serializers.CharField(max_length=64), max_length=64)
    capacity_bytes = serializers.IntegerField(allow_null=True)

    def validate_weight(self, weight: float) -> float:
        """Refuse what no share is."""
        if not 0 < weight < math.inf:
            raise ValidationError("A weight is more than 0, and finite.")
        return weight


class ZoneChange(_Change):
    """What may be changed of a zone."""

    region = serializers.CharField(allow_blank=True, max_length=64)


class ShowTopology(OperatorView):
    """`GET /api/topology/`: the regions, their zones, and the nodes of these."""

    def get(self, _request: Request) -> Response:
        """Show them. Two statements."""
        nodes: dict[int, list[Any]] = {}
        for node in _nodes().order_by("id"):
            nodes.setdefault(node.zone_id, []).append(NodeDocument(node).data)
        regions: dict[str, list[dict[str, Any]]] = {}
        for zone in Zone.objects.order_by("region", "name"):
            regions.setdefault(zone.region, []).append({"name": zone.name, "nodes": nodes.get(zone.pk, [])})
        return Response({"regions": [{"name": name, "zones": zones} for name, zones in regions.items()]})


class OneNode(OperatorView):
    """`GET /api/topology/nodes/<name>/`: one node. `PATCH`: other state, weight, labels or capacity."""

    def get(self, _request: Request, name: str) -> Response:
        """Show it. 404 for none."""
        return Response(NodeDocument(_find_node(name)).data)

    def patch(self, request: Request, name: str) -> Response:
        """Change what is named. 400 for what it can't be."""
        try:
            change_node(name=name, **_changes(NodeChange(data=request.data, partial=True)))
        except NodeUnavailable:
            raise NotFound from None
        except BadNode as error:
            raise ValidationError({"error": str(error)}) from None
        return Response(NodeDocument(_find_node(name)).data)


class OneZone(OperatorView):
    """`PATCH /api/topology/zones/<name>/`: another region."""

    def patch(self, request: Request, name: str) -> Response:
        """Change it. 404 for none."""
        changes = _changes(ZoneChange(data=request.data))
        try:
            set_zone_region(name=name, region=changes["region"])
        except NodeUnavailable:
            raise NotFound from None
        return Response({"name": name, "region": changes["region"]})


def _nodes() -> Any:
    return Node.objects.select_related("zone", "health")


def _find_node(name: str) -> Node:
    node: Node | None = _nodes().filter(name=name).first()
    if node is None:
        raise NotFound
    return node


def _changes(change: serializers.Serializer[Any]) -> dict[str, Any]:
    change.is_valid(raise_exception=True)
    return dict(change.validated_data)
