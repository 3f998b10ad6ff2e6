"""The nodes and storage classes as this process sees them now, and the stores of the nodes.

`current()` reads the database at most every few seconds; the writer and the reader take the snapshot as an argument,
so they need no database themselves. A node whose I/O fails is set aside for some seconds by this process alone: that
is a guess about a disk, not a state, and it writes nothing down.
"""

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from chunks.breaker import Breaker
from chunks.default_schemes import AUTOMATIC, choose_large, choose_small
from chunks.errors import NodeUnavailable, UnknownStorageClass
from chunks.hedging import Hedging
from chunks.placement import NodeView
from chunks.records import NodeState
from chunks.room import RoomGauge
from chunks.stores import django_storage
from chunks.stores.django_storage.options import StoreOptions
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import FragmentStore

SNAPSHOT_SECONDS = 5.0
PROBE_COUNTS_SECONDS = 120.0

LOCAL_DISK = "local_disk"
DJANGO_STORAGE = "django_storage"


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node as its row describes it."""

    id: int
    zone_id: int
    name: str
    store_kind: str
    location: str
    identity: UUID
    weight: float = 1.0
    state: NodeState = NodeState.ACTIVE
    options: StoreOptions = field(default_factory=StoreOptions)
    capacity_bytes: int | None = None
    labels: frozenset[str] = frozenset()

    def as_view(self) -> NodeView:
        """Return what placement needs of it."""
        return NodeView(self.id, self.zone_id, self.weight)


StoreOpener = Callable[[NodeEntry], FragmentStore]


def _open_django_storage(node: NodeEntry) -> FragmentStore:
    return django_storage.open_storage(node.location, node.options, node.identity, capacity_bytes=node.capacity_bytes)


# A kind of store, and how to open one.
_STORE_OPENERS: Mapping[str, StoreOpener] = {
    LOCAL_DISK: lambda node: LocalDisk(node.location, node.identity),
    DJANGO_STORAGE: _open_django_storage,
}


@dataclass(frozen=True, slots=True)
class StorageClassEntry:
    """A storage class as its row describes it. Automatic: the scheme is what the topology can carry now."""

    name: str
    chunk_size_bytes: int
    small_scheme: str
    large_scheme: str
    large_from_bytes: int
    is_small_automatic: bool = False
    is_large_automatic: bool = False
    compression_level: int | None = None
    node_label: str = ""

    def __str__(self) -> str:
        compression = "not compressed" if self.compression_level is None else f"zstd {self.compression_level}"
        nodes = f"nodes labelled {self.node_label}" if self.node_label else "any node"
        return (
            f"{self.small_scheme} below {self.large_from_bytes:,} bytes, {self.large_scheme} from there, in chunks of"
            f" {self.chunk_size_bytes:,} bytes, {compression}, on {nodes}"
        )

    def scheme_for(self, chunk_size_bytes: int) -> str:
        """Return the scheme that protects a chunk of this size."""
        return self.large_scheme if chunk_size_bytes >= self.large_from_bytes else self.small_scheme


class Topology:
    """A snapshot of nodes and storage classes, with the stores of the nodes. Safe to use from many threads."""

    def __init__(
        self,
        nodes: Iterable[NodeEntry],
        storage_classes: Iterable[StorageClassEntry],
        stores: "StorePool | None" = None,
        *,
        reserve_bytes: int | None = None,
        unreachable_ids: Collection[int] = (),
    ) -> None:
        self.nodes: Mapping[int, NodeEntry] = {node.id: node for node in nodes}
        self.known = tuple(node.as_view() for node in self.nodes.values())
        self.writable = tuple(node.as_view() for node in self.nodes.values() if node.state.is_writable)
        self._storage_classes = {entry.name: entry for entry in storage_classes}
        self._stores = stores or StorePool()
        self._reserve_bytes = reserve_bytes
        self._unreachable_ids = frozenset(unreachable_ids)

    def for_class(self, name: str) -> "Topology":
        """Return what the fragments of a class may be put on: this, or with those nodes alone that have its label.

        What is read is read from any node. A class that is not known has no label.
        """
        entry = self._storage_classes.get(name)
        if entry is None or not entry.node_label:
            return self
        view = copy(self)
        fit = {node.id for node in self.nodes.values() if entry.node_label in node.labels}
        view.known = tuple(node for node in self.known if node.id in fit)
        view.writable = tuple(node for node in self.writable if node.id in fit)
        return view

    def storage_class(self, name: str) -> StorageClassEntry:
        """Return a storage class; UnknownStorageClass if there is none of this name."""
        try:
            return self._storage_classes[name]
        except KeyError:
            raise UnknownStorageClass(name) from None

    @property
    def storage_classes(self) -> tuple[StorageClassEntry, ...]:
        """Return all storage classes, by name."""
        return tuple(self._storage_classes[name] for name in sorted(self._storage_classes))

    def store(self, node_id: int) -> FragmentStore:
        """Return the open store of a readable node; NodeUnavailable if it isn't one or can't be opened."""
        node = self.nodes.get(node_id)
        if node is None or not node.state.is_readable:
            raise NodeUnavailable(f"node {node_id} is {'unknown' if node is None else node.state}")
        return self._stores.open(node)

    def usable_for_writing(self) -> set[int]:
        """Return the ids of active nodes that have room and have not failed just now."""
        return {
            node.id
            for node in self.with_room()
            if node.id not in self._unreachable_ids and not self._stores.full_or_failed.is_set_aside(node.id)
        }

    def with_room(self) -> tuple[NodeView, ...]:
        """Return the active nodes that are not nearly full. They are asked at most once a second."""
        return tuple(node for node in self.writable if self._has_room(node.id))

    def _has_room(self, node_id: int) -> bool:
        if node_id in self._unreachable_ids or self._stores.failed.is_resting(node_id):
            return self._stores.room.had_room(node_id)  # to ask it would be to wait for it
        return self._stores.room.has_room(node_id, lambda: self.store(node_id).space(), self._reserve_bytes)

    def is_usable_for_reading(self, node_id: int) -> bool:
        """Say whether to ask this node before others: it is readable and has not failed just now."""
        node = self.nodes.get(node_id)
        if node is None or not node.state.is_readable or node_id in self._unreachable_ids:
            return False
        if self._stores.failed.is_set_aside(node_id):
            return False
        return not self.is_slow(node_id)

    def is_out_of_reach(self, node_id: int) -> bool:
        """Say whether people or the last probe say that a node is not there, whatever this process still has open of it."""
        node = self.nodes.get(node_id)
        return node is None or not node.state.is_readable or node_id in self._unreachable_ids

    def report_failure(self, node_id: int) -> None:
        """Set a node aside whose I/O failed; its store is opened, and its identity checked, afresh."""
        self._stores.failed.set_aside(node_id)
        self._stores.full_or_failed.set_aside(node_id)
        self._stores.forget(node_id)

    def report_slow(self, node_id: int) -> None:
        """Set a node aside that is late again and again."""
        self._stores.slow.set_aside(node_id)
        self._stores.full_or_failed.set_aside(node_id)

    def is_slow(self, node_id: int) -> bool:
        """Say whether the node is left alone because it is late, or holds as many threads as it may."""
        return self._stores.slow.is_set_aside(node_id) or self._stores.hedging.is_stuck(node_id)

    @property
    def hedging(self) -> Hedging:
        """What is known of the pace of the nodes."""
        return self._stores.hedging

    def report_full(self, node_id: int) -> None:
        """Set a node aside for writing."""
        self._stores.full_or_failed.set_aside(node_id)


class StorePool:
    """Open stores by node, shared by all snapshots, and what is known of their health."""

    def __init__(self, openers: Mapping[str, StoreOpener] | None = None) -> None:
        self.failed = Breaker()
        self.full_or_failed = Breaker()
        self.slow = Breaker()
        self.hedging = Hedging()
        self.room = RoomGauge()
        self._openers = _STORE_OPENERS if openers is None else openers
        self._open: dict[int, tuple[NodeEntry, FragmentStore]] = {}
        self._lock = threading.Lock()

    def open(self, node: NodeEntry) -> FragmentStore:
        """Return the node's store, opening it if it isn't open or the node has moved."""
        found = self._open.get(node.id)
        if found is not None and _is_same_store(found[0], node):
            return found[1]
        opener = self._openers.get(node.store_kind)
        if opener is None:
            raise NodeUnavailable(f"node {node.name} keeps its fragments in {node.store_kind}, which is not known here")
        store = opener(node)
        with self._lock:
            self._open[node.id] = (node, store)
        return store

    def forget(self, node_id: int) -> None:
        """Open the node's store afresh when it is next needed."""
        with self._lock:
            self._open.pop(node_id, None)


def _is_same_store(one: NodeEntry, other: NodeEntry) -> bool:
    return _store_of(one) == _store_of(other)


def _store_of(node: NodeEntry) -> tuple[object, ...]:
    return node.store_kind, node.location, node.identity, node.options, node.capacity_bytes


def store_kinds() -> list[str]:
    """Return the kinds of store that are known here."""
    return sorted(_STORE_OPENERS)


def initialize_store(store_kind: str, location: str, options: StoreOptions | None = None) -> UUID:
    """Make a place a store and return the identity that it bears; NodeUnavailable if that can't be done.

    The location of a local disk is its directory, that of a Django storage the dotted path of the storage class.
    """
    if store_kind == LOCAL_DISK:
        return LocalDisk.initialize(location)
    if store_kind == DJANGO_STORAGE:
        return django_storage.initialize_storage(location, options or StoreOptions())
    raise NodeUnavailable(f"{store_kind} is not a kind of store that is known here")


def identify_store(store_kind: str, location: str, options: StoreOptions) -> UUID | None:
    """Return the identity that a storage bears already, None if it bears none; NodeUnavailable if it can't be asked."""
    if store_kind != DJANGO_STORAGE:
        raise NodeUnavailable(f"{store_kind} has no options")
    return django_storage.identify_storage(location, options)


class _Snapshot:
    """The process's snapshot and when it was taken."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stores = StorePool()
        self.topology: Topology | None = None
        self.taken_at = 0.0


_snapshot = _Snapshot()


def current() -> Topology:
    """Return the topology, at most a few seconds old. Three queries when it has to be read."""
    snapshot = _snapshot
    topology = snapshot.topology
    if topology is not None and time.monotonic() - snapshot.taken_at < SNAPSHOT_SECONDS:
        return topology
    # One thread reads; the others go on with what there is, and wait only if there is nothing.
    if not snapshot.lock.acquire(blocking=topology is None):
        assert topology is not None
        return topology
    try:
        if snapshot.topology is not None and snapshot.topology is not topology:
            return snapshot.topology
        return _read(snapshot)
    finally:
        snapshot.lock.release()


def refresh() -> Topology:
    """Return the topology as the database has it now."""
    snapshot = _snapshot
    with snapshot.lock:
        return _read(snapshot)


def _read(snapshot: _Snapshot) -> Topology:
    from django.conf import settings  # the writer and the reader need neither settings
    from django.db.models.functions import Now  # nor a database

    from chunks.models import Node, NodeHealth, StorageClass

    nodes = [
        NodeEntry(
            id=node.id,
            zone_id=node.zone_id,
            name=node.name,
            store_kind=node.store_kind,
            location=node.location,
            identity=node.identity,
            weight=node.weight,
            state=NodeState(node.state),
            options=StoreOptions(node.options, bytes(node.sealed_options)),
            capacity_bytes=node.capacity_bytes,
            labels=frozenset(node.labels),
        )
        for node in Node.objects.order_by("id")
    ]
    # A node that does not answer still counts: people say when one is gone.
    lasting = [node for node in nodes if node.state in {NodeState.ACTIVE, NodeState.READ_ONLY}]

    def count_for(row: StorageClass) -> int:
        return sum(not row.node_label or row.node_label in node.labels for node in lasting)

    storage_classes = [
        StorageClassEntry(
            name=row.name,
            chunk_size_bytes=row.chunk_size_bytes,
            small_scheme=choose_small(row.small_scheme, count_for(row)),
            large_scheme=choose_large(row.large_scheme, count_for(row)),
            large_from_bytes=row.large_from_bytes,
            is_small_automatic=row.small_scheme == AUTOMATIC,
            is_large_automatic=row.large_scheme == AUTOMATIC,
            compression_level=row.compression_level,
            node_label=row.node_label,
        )
        for row in StorageClass.objects.all()
    ]
    # What the last probe could not reach is asked last, too, as long as probes go on.
    since = Now() - timedelta(seconds=PROBE_COUNTS_SECONDS)
    unreachable = NodeHealth.objects.filter(unreachable_since__isnull=False, probed_at__gt=since)
    topology = Topology(
        nodes,
        storage_classes,
        snapshot.stores,
        reserve_bytes=settings.OBJSTORE_NODE_RESERVE_BYTES,
        unreachable_ids=unreachable.values_list("node_id", flat=True),
    )
    snapshot.topology, snapshot.taken_at = topology, time.monotonic()
    return topology


def _forget_after_fork() -> None:
    global _snapshot  # noqa: PLW0603 - a child must not share locks that its parent's threads may hold
    _snapshot = _Snapshot()


os.register_at_fork(after_in_child=_forget_after_fork)
