"""Make places known as nodes."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from django.db import transaction

from chunks import topology as topologies
from chunks.default_classes import DEFAULT_CLASSES
from chunks.errors import BadNode, NodeUnavailable
from chunks.models import Node, StorageClass, Zone
from chunks.records import NodeState
from chunks.stores.django_storage.options import StoreOptions

DEFAULT_ZONES = ("zone-a", "zone-b", "zone-c")
DEFAULT_NODES_PER_ZONE = 2


@transaction.atomic
def register_node(
    *,
    name: str,
    zone_name: str,
    location: str,
    store_kind: str = topologies.LOCAL_DISK,
    weight: float = 1.0,
    options: StoreOptions | None = None,
    capacity_bytes: int | None = None,
    labels: Collection[str] = (),
) -> Node:
    """Make a place a node; return the node of that name as it is if there is one already.

    The store is marked with its identity first and the row follows, so that a crash between leaves a marked store,
    which the next call adopts. A known node's store is not marked again: one that lost its mark lost its fragments.
    """
    known = Node.objects.filter(name=name).first()
    if known is not None:
        return known
    zone, _ = Zone.objects.get_or_create(name=zone_name)
    options = options or StoreOptions()
    identity = topologies.initialize_store(store_kind, location, options)
    return Node.objects.create(
        zone=zone,
        name=name,
        store_kind=store_kind,
        location=location,
        options=dict(options.plain),
        sealed_options=options.sealed,
        capacity_bytes=capacity_bytes,
        weight=weight,
        labels=sorted(set(labels)),
        identity=identity,
    )


@transaction.atomic
def change_node_options(*, name: str, changes: StoreOptions, removed: Collection[str] = ()) -> Node:
    """Change options of a node's storage, if it is the same storage by the new ones; NodeUnavailable if not."""
    node = Node.objects.select_for_update().filter(name=name, store_kind=topologies.DJANGO_STORAGE).first()
    if node is None:
        raise NodeUnavailable(f"there is no node {name!r} in a storage")
    options = StoreOptions(node.options, bytes(node.sealed_options)).changed(changes, removed)
    found = topologies.identify_store(node.store_kind, node.location, options)
    if found != node.identity:
        raise NodeUnavailable(f"that is another storage: node {found or 'of nobody'}, not {node.identity}")
    node.options, node.sealed_options = dict(options.plain), options.sealed
    node.save(update_fields=["options", "sealed_options"])
    return node


CHANGEABLE = frozenset({"state", "weight", "labels", "capacity_bytes"})


@transaction.atomic
def change_node(*, name: str, **changes: Any) -> Node:
    """Change what people may say of a node: `state`, `weight`, `labels`, `capacity_bytes`. Processes follow within seconds.

    NodeUnavailable if there is none of this name, BadNode for what it can't be. No fragment moves by this alone, but for
    those of a node that drains or is down.
    """
    assert changes.keys() <= CHANGEABLE
    node = Node.objects.select_for_update().filter(name=name).first()
    if node is None:
        raise NodeUnavailable(f"there is no node {name!r}")
    for column, value in changes.items():
        setattr(node, column, sorted(set(value)) if column == "labels" else value)
    if not 0 < node.weight < math.inf:
        raise BadNode("a weight is more than 0, and finite")
    if node.store_kind == topologies.LOCAL_DISK and node.capacity_bytes is not None:
        raise BadNode("a local disk says itself how much it holds")
    if node.capacity_bytes is not None and not 0 < node.capacity_bytes < 1 << 63:
        raise BadNode("a capacity is more than 0 bytes")
    node.save(update_fields=sorted(changes))
    transaction.on_commit(topologies.refresh)
    return node


def set_node_state(*, name: str, state: NodeState) -> Node:
    """Say what may be asked of a node; NodeUnavailable if there is none of this name."""
    return change_node(name=name, state=state)


@transaction.atomic
def create_default_topology(data_dir: str | Path) -> None:
    """Make six nodes in three zones under `data_dir`, and S3's storage classes, unless they are there.

    One disk under all six protects against damage to files, not against the loss of the disk.
    """
    nodes_dir = Path(data_dir).resolve() / "nodes"
    number = 0
    for zone_name in DEFAULT_ZONES:
        for _ in range(DEFAULT_NODES_PER_ZONE):
            number += 1
            name = f"node-{number}"
            register_node(name=name, zone_name=zone_name, location=str(nodes_dir / name))
    for name, differing in DEFAULT_CLASSES.items():
        StorageClass.objects.get_or_create(name=name, defaults=differing)
    topologies.refresh()
