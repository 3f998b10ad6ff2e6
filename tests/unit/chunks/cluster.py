"""Six nodes in three zones on local disks, each with a switch to make it fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from chunks.erasure import Buffer
from chunks.errors import ChunkError, NodeUnavailable, NoSpace
from chunks.reader import fragment_size_bytes, stored_name
from chunks.records import ChunkView, NodeState
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import FragmentStore, SegmentFile, StoredFragment, StoreSpace
from chunks.topology import NodeEntry, StorageClassEntry, StorePool, Topology

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE


class SwitchedStore:
    """A store that fails on demand, as its disk might."""

    def __init__(self, store: FragmentStore) -> None:
        self._store = store
        self.broken = False
        self.full = False
        self.free_bytes: int | None = None
        self.writes_left: int | None = None
        self.is_killed_after_write = False
        self.reads: list[tuple[str, int, int]] = []
        self.stall: Callable[[], object] | None = None
        self.can_append = True
        self.syncs = 0
        self.hold: threading.Event | None = None

    @property
    def shard_count(self) -> int:
        return self._store.shard_count

    def _check(self) -> None:
        if self.broken:
            raise NodeUnavailable("switched off")

    def _check_writable(self) -> None:
        self._check()
        if self.full:
            raise NoSpace("switched to full")
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise NodeUnavailable("worn out")
            self.writes_left -= 1

    def check_identity(self) -> UUID:
        self._check()
        return self._store.check_identity()

    def space(self) -> StoreSpace | None:
        self._check()
        return None if self.free_bytes is None else StoreSpace(100 << 30, self.free_bytes)

    def probe(self) -> None:
        self._check()
        self._store.probe()

    def write_fragment(self, name: str, buffers: Sequence[Buffer]) -> None:
        self.stage_fragment(name, buffers)()

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        self._check_writable()
        commit = self._store.stage_fragment(name, buffers)
        if self.is_killed_after_write:
            commit()
            raise KeyboardInterrupt
        return commit

    def create_segment(self, name: str) -> SegmentFile:
        self._check_writable()
        return SwitchedSegment(self, self._store.create_segment(name))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        self._check()
        self.reads.append((name, offset, length))
        if self.stall is not None:
            self.stall()
        return self._store.read_range(name, offset, length)

    def read_at_once(self, name: str, offset: int, length: int) -> bytes | bytearray | None:
        self._check()
        if self.stall is not None:
            return None
        data = self._store.read_at_once(name, offset, length)
        if data is not None:
            self.reads.append((name, offset, length))
        return data

    def stat_fragment(self, name: str) -> StoredFragment | None:
        self._check()
        return self._store.stat_fragment(name)

    def delete_fragment(self, name: str) -> bool:
        self._check()
        return self._store.delete_fragment(name)

    def list_shard(self, shard: int) -> Iterator[StoredFragment]:
        self._check()
        return self._store.list_shard(shard)


class SwitchedSegment:
    """A copy of a segment in such a store."""

    def __init__(self, store: SwitchedStore, file: SegmentFile) -> None:
        self._store = store
        self._file = file

    def append(self, buffers: Sequence[Buffer]) -> None:
        self._store._check_writable()
        self._file.append(buffers)

    def sync(self) -> None:
        self._store._check()
        self._store.syncs += 1
        if self._store.hold is not None:
            self._store.hold.wait(30)
        self._file.sync()
        if self._store.is_killed_after_write:
            raise KeyboardInterrupt

    def close(self) -> None:
        self._file.close()


class Cluster:
    """A topology without a database, and what a test does to its disks."""

    def __init__(self, root: Path, zone_sizes: Sequence[int] = (2, 2, 2)) -> None:
        self.root = root
        self.now = 1000.0
        self.switches: dict[int, SwitchedStore] = {}
        self._paths: dict[str, int] = {}
        self.entries: list[NodeEntry] = []
        for zone_id, size in enumerate(zone_sizes, 1):
            for _ in range(size):
                self._add_entry(zone_id)
        self.pool = StorePool({"local_disk": self._open})
        for breaker in (self.pool.failed, self.pool.full_or_failed, self.pool.slow):
            breaker.clock = lambda: self.now
        self.pool.room.clock = lambda: self.now
        self.topology = self._snapshot()

    def _add_entry(self, zone_id: int) -> None:
        node_id = len(self.entries) + 1
        path = self.root / f"node-{node_id}"
        identity = LocalDisk.initialize(path)
        self._paths[str(path)] = node_id
        self.entries.append(NodeEntry(node_id, zone_id, f"node-{node_id}", "local_disk", str(path), identity))

    def _open(self, node: NodeEntry) -> FragmentStore:
        node_id = self._paths[node.location]
        switch = self.switches.get(node_id)
        if switch is None:
            switch = self.switches[node_id] = SwitchedStore(LocalDisk(node.location, node.identity))
        return switch

    def _snapshot(self) -> Topology:
        storage_class = StorageClassEntry("STANDARD", 8 * MEBIBYTE, "replicate-3", "rs-4+2", 128 * KIBIBYTE)
        return Topology(self.entries, [storage_class], self.pool)

    def switch(self, node_id: int) -> SwitchedStore:
        self.topology.store(node_id)
        return self.switches[node_id]

    def break_nodes(self, *node_ids: int) -> None:
        for node_id in node_ids:
            self.switch(node_id).broken = True

    def mend_nodes(self, *node_ids: int) -> None:
        for node_id in node_ids:
            self.switches[node_id].broken = False
        self.pass_time()

    def pass_time(self, seconds: float = 60.0) -> None:
        self.now += seconds

    def set_state(self, node_id: int, state: NodeState) -> None:
        self.entries[node_id - 1] = replace(self.entries[node_id - 1], state=state)
        self.topology = self._snapshot()

    def add_node(self, zone_id: int) -> int:
        self._add_entry(zone_id)
        self.topology = self._snapshot()
        return len(self.entries)

    def path_of(self, chunk: ChunkView, index: int, node_id: int | None = None) -> Path:
        name = stored_name(chunk, index)
        node = self.root / f"node-{node_id or chunk.node_ids[index]}"
        return node / "fragments" / chunk.placement_id.hex[-2:] / name

    def lose(self, chunk: ChunkView, *indexes: int) -> None:
        for index in indexes:
            self.path_of(chunk, index).unlink()

    def flip_bit(self, chunk: ChunkView, index: int, byte_offset: int) -> None:
        path: Any = self.path_of(chunk, index)  # another cluster has other ones
        data = bytearray(path.read_bytes())
        data[(chunk.segment_offset or 0) + byte_offset % fragment_size_bytes(chunk)] ^= 1
        if isinstance(path, Path):  # in place: who has it open sees it, too
            with path.open("r+b") as file:
                file.write(data)
        else:
            path.write_bytes(data)

    def fragments(self) -> list[Path]:
        return sorted(path for path in self.root.glob("node-*/fragments/*/*") if path.is_file())

    def is_well(self, chunk: ChunkView) -> bool:
        from chunks.reader import check_fragment

        try:
            for index in range(len(chunk.node_ids)):
                check_fragment(chunk, index, self.topology)
        except ChunkError:
            return False
        return True
