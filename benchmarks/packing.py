"""Small chunks in segments beside small chunks in files of their own: `python -m benchmarks.packing [--sizes] [DIRECTORY]`.

64 writers of 4 KiB, three copies, the same engine with and without a packer, in turns; once on the disk as it is, once
with a sync that takes two milliseconds longer. Counted are files and syncs, too. With `--sizes`, chunks of 4 to 127 KiB
instead, which says up to which size packing pays. Needs no database: segments are written down in memory, where the product
needs a commit for each.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from benchmarks.chunks import make_topology
from chunks.erasure import Buffer
from chunks.open_segment import NewSegment
from chunks.packing import PACKED_BYTES_MAX, Packer
from chunks.stores.local_disk import LocalDisk
from chunks.stores.protocol import SegmentFile
from chunks.topology import StorePool, Topology
from chunks.writer import write_chunk

WRITERS = 64
ROUNDS = 5
SECONDS = 2.0
SLOW_SYNC_SECONDS = 0.002
SIZES_KIB = (4, 16, 32, 64, 96, 127)  # from 128 KiB on, chunks are erasure-coded and have files
ROW = "{:<28} {:>6} {:>10} {:>10} {:>7} {:>11} {:>13} {:>14}"


@dataclass
class Disks:
    """What the disks of a topology were asked to do."""

    sync_seconds: float = 0.0
    syncs: Counter[UUID] = field(default_factory=Counter)

    def sync(self, identity: UUID) -> None:
        """Count a sync, and take as long as asked."""
        self.syncs[identity] += 1
        if self.sync_seconds:
            time.sleep(self.sync_seconds)


class MeasuredDisk(LocalDisk):
    """A local disk whose syncs are counted and may be slow."""

    disks: Disks

    def stage_fragment(self, name: str, buffers: Sequence[Buffer]) -> Callable[[], None]:
        """Stage; the commit waits for the slow disk, too."""
        commit = super().stage_fragment(name, buffers)

        def commit_slowly() -> None:
            self.disks.sync(self._identity)
            commit()

        return commit_slowly

    def create_segment(self, name: str) -> SegmentFile:  # type: ignore[override]
        """Begin a segment whose syncs are slow."""
        return MeasuredSegment(super().create_segment(name), lambda: self.disks.sync(self._identity))


class MeasuredSegment:
    """A segment on such a disk."""

    def __init__(self, file: SegmentFile, note_sync: Callable[[], None]) -> None:
        self._file = file
        self._note_sync = note_sync
        self.append = file.append
        self.close = file.close

    def sync(self) -> None:
        """Sync, and wait for the slow disk."""
        self._note_sync()
        self._file.sync()


class Memory:
    """Where segments are written down."""

    def register(self, segment: NewSegment) -> None:
        """Do nothing."""

    def seal(self, segment_id: UUID, size_bytes: int) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one round, for each chunk but for the rate; `group_syncs` of each node and group."""

    per_second: float
    cpu_microseconds: float
    inodes: float
    syncs: float
    group_syncs: float


def measure(topology: Topology, root: Path, disks: Disks, packer: Packer | None, *, size_bytes: int = 4096) -> Measured:
    """Write for some seconds from all writers."""
    body = os.urandom(size_bytes)
    files_before = count_files(root)
    disks.syncs.clear()
    groups_before = packer.group_count if packer else 0
    counts = [0] * WRITERS
    started_at, cpu_before = time.perf_counter(), time.process_time()

    def write(number: int) -> None:
        while time.perf_counter() - started_at < SECONDS:
            write_chunk(body, topology=topology, packer=packer)
            counts[number] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, count = time.perf_counter() - started_at, sum(counts)
    groups = packer.group_count - groups_before if packer else count
    return Measured(
        count / seconds,
        (time.process_time() - cpu_before) / count * 1e6,
        (count_files(root) - files_before) / count,
        disks.syncs.total() / count,
        disks.syncs.total() / groups / 3,
    )


def count_files(root: Path) -> int:
    """Return how many inodes hold fragments or segments."""
    return sum(len(files) for _, _, files in os.walk(root))


def compare(root: Path, name: str, sync_seconds: float, *, size_bytes: int = 4096) -> None:
    """Measure both ways in turns and print the medians."""
    disks = Disks(sync_seconds)
    MeasuredDisk.disks = disks
    topology = make_topology(root)
    topology = Topology(
        topology.nodes.values(),
        topology.storage_classes,
        StorePool({"local_disk": lambda node: MeasuredDisk(node.location, node.identity)}),
    )
    packer = Packer(Memory(), packed_bytes_max=max(size_bytes, PACKED_BYTES_MAX))
    for _ in range(2):
        measure(topology, root, disks, None, size_bytes=size_bytes)  # fan-out directories are made
    found: dict[str, list[Measured]] = {"files": [], "segments": []}
    for _ in range(ROUNDS):
        found["files"].append(measure(topology, root, disks, None, size_bytes=size_bytes))
        found["segments"].append(measure(topology, root, disks, packer, size_bytes=size_bytes))
    ratios = [one.per_second / other.per_second for one, other in zip(found["segments"], found["files"], strict=True)]
    for way, rounds in found.items():
        medians = [
            statistics.median(getattr(one, column) for one in rounds)
            for column in ("per_second", "cpu_microseconds", "inodes", "syncs", "group_syncs")
        ]
        rate, cpu, inodes, syncs, group_syncs = medians
        ratio = f"{statistics.median(ratios):.1f}" if way == "segments" else ""
        print(
            ROW.format(
                name,
                way[:8],
                f"{rate:,.0f}",
                f"{cpu:,.0f}",
                ratio,
                f"{inodes:.4f}",
                f"{syncs:.2f}",
                f"{group_syncs:.2f}",
            ),
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", action="store_true", help="chunks of several sizes")
    parser.add_argument("directory", nargs="?", default=".")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="packing-benchmark-", dir=asked.directory))
    sizes = SIZES_KIB if asked.sizes else (4,)
    print(f"{WRITERS} writers, three copies, medians of {ROUNDS} rounds of {SECONDS:g} s in turns\n")
    print(ROW.format("disk", "way", "chunks/s", "CPU us", "ratio", "inodes each", "syncs each", "per node+group"))
    slower = f"syncs {SLOW_SYNC_SECONDS * 1000:g} ms slower"
    try:
        for size in sizes:
            for name, sync_seconds in (("as it is", 0.0), (slower, SLOW_SYNC_SECONDS)):
                compare(root / "disks", f"{size} KiB, {name}", sync_seconds, size_bytes=size << 10)
                shutil.rmtree(root / "disks")
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
