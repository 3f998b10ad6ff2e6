"""The cluster of the tests with its fragments in a real S3 server, so that the same tests run against both."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chunks.errors import FragmentMissing
from chunks.fragment_format import fragment_name
from chunks.records import ChunkView
from chunks.stores.django_storage.opening import make_driver
from chunks.stores.django_storage.store import DjangoStorage
from chunks.stores.protocol import FragmentStore
from chunks.topology import NodeEntry
from tests.live.seaweedfs import SeaweedFS
from tests.unit.chunks.cluster import Cluster, SwitchedStore

_prefixes = itertools.count()
_drivers: dict[str, Any] = {}


@dataclass(frozen=True, order=True)
class ObjectPath:
    """An object with what tests do to a path."""

    node: str
    path: str

    def _driver(self) -> Any:
        return _drivers[self.node]

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> ObjectPath:
        return ObjectPath(self.node, self.path.rpartition("/")[0])

    def __truediv__(self, name: str) -> ObjectPath:
        return ObjectPath(self.node, f"{self.path}/{name}")

    def with_name(self, name: str) -> ObjectPath:
        return self.parent / name

    def mkdir(self, **_: object) -> None:
        """Do nothing: S3 has no directories."""

    def read_bytes(self) -> bytes:
        try:
            return self._driver().get(self.path, 0, 1 << 30)
        except FragmentMissing:
            raise FileNotFoundError(self.path) from None

    def write_bytes(self, data: bytes) -> None:
        self._driver().put(self.path, [data])

    def unlink(self) -> None:
        if not self._driver().delete(self.path):
            raise FileNotFoundError(self.path)

    def exists(self) -> bool:
        return self._driver().stat(self.path) is not None

    def stat(self) -> SimpleNamespace:
        found = self._driver().stat(self.path)
        return SimpleNamespace(st_size=found.size_bytes)

    def relative_to(self, root: Path) -> Path:
        return Path(self.node.rpartition("/")[2], self.path)


class S3Cluster(Cluster):
    """Nodes that are prefixes of one bucket."""

    def __init__(self, root: Path, server: SeaweedFS, zone_sizes: Sequence[int] = (2, 2, 2)) -> None:
        self.prefix = f"cluster/{next(_prefixes)}"
        pattern = _drivers.get(server.endpoint)
        if pattern is None:  # one client for all: to make one costs more than a test
            pattern = make_driver("storages.backends.s3.S3Storage", server.options("nodes") | {"timeout_seconds": 30})
            _drivers[server.endpoint] = pattern
        self.pattern: Any = pattern
        super().__init__(root, zone_sizes)

    def _add_entry(self, zone_id: int) -> None:
        node_id = len(self.entries) + 1
        location = f"{self.prefix}/node-{node_id}"
        driver = _drivers[location] = copy.copy(self.pattern)
        driver._location = location
        identity = DjangoStorage.initialize(driver)
        self._paths[location] = node_id
        self.entries.append(NodeEntry(node_id, zone_id, f"node-{node_id}", "local_disk", location, identity))

    def _open(self, node: NodeEntry) -> FragmentStore:
        node_id = self._paths[node.location]
        if node_id not in self.switches:
            self.switches[node_id] = SwitchedStore(DjangoStorage(_drivers[node.location], node.identity))
        return self.switches[node_id]

    def path_of(self, chunk: ChunkView, index: int, node_id: int | None = None) -> Any:
        location = f"{self.prefix}/node-{node_id or chunk.node_ids[index]}"
        return ObjectPath(location, f"fragments/{chunk.id.hex[-2:]}/{fragment_name(chunk.id, index)}")

    def fragments(self) -> Any:
        return sorted(
            ObjectPath(location, f"fragments/{found.name}")
            for location in self._paths
            for found in _drivers[location].list("fragments")
        )
