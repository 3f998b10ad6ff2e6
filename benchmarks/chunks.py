"""How fast chunks are written and read, beside what the machine itself can do.

    python benchmarks/chunks.py [DIRECTORY]

Needs no database. Writes some gigabytes under DIRECTORY (default: a new one under the working directory, removed at
the end; a memory file system would make every sync free). Rates are of the chunk's bytes, in 10^6 bytes a second; the
second figure is the rate for each second of processor time, which says more where others use the machine, too.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chunks.erasure import decode, encode, parse_scheme
from chunks.fragment_format import checksum_of
from chunks.placement import NodeView, place_fragments
from chunks.reader import check_fragment, read_chunk, read_chunk_range
from chunks.records import ChunkView
from chunks.stores.local_disk import LocalDisk
from chunks.topology import NodeEntry, StorageClassEntry, Topology
from chunks.writer import write_chunk

CHUNK_BYTES = 8 << 20
SMALL_BYTES = 4096
SECONDS = 2.0


def rate(action: Callable[[], object], *, threads: int = 1, seconds: float = SECONDS) -> tuple[float, float]:
    """Return how often a second, and a second of processor time, `threads` threads together do it, after a warm-up."""
    for _ in range(3):
        action()
    counts = [0] * threads
    until = time.perf_counter() + seconds

    def repeat(index: int) -> None:
        while time.perf_counter() < until:
            action()
            counts[index] += 1

    workers = [threading.Thread(target=repeat, args=(index,)) for index in range(threads)]
    started, spent = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    count = sum(counts)
    return count / (time.perf_counter() - started), count / (time.process_time() - spent)


def show(name: str, rates: tuple[float, float], size_bytes: int = 0) -> None:
    """Print one line."""
    scale, unit = (size_bytes / 1e6, "MB/s") if size_bytes else (1, "/s")
    print(f"{name:62}{rates[0] * scale:9.0f} {unit:4} {rates[1] * scale:9.0f} {unit}", flush=True)


def make_topology(root: Path) -> Topology:
    """Make six nodes in three zones."""
    nodes = []
    for number in range(1, 7):
        location = root / f"node-{number}"
        identity = LocalDisk.initialize(location)
        nodes.append(NodeEntry(number, (number + 1) // 2, location.name, "local_disk", str(location), identity))
    return Topology(nodes, [StorageClassEntry("STANDARD", CHUNK_BYTES, "replicate-3", "rs-4+2", 128 * 1024)])


def measure_reference(root: Path, chunk: bytes, small: bytes) -> None:
    """Measure what is to be compared with: MD5, and plain files that are written and synced."""
    numbers = count()

    def plain_write(data: bytes, copies: int) -> None:
        for _ in range(copies):
            handle = os.open(root / f"plain-{next(numbers)}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(handle, data)
            os.fdatasync(handle)
            os.close(handle)

    show("reference: MD5 of a chunk", rate(lambda: hashlib.md5(chunk, usedforsecurity=False)), CHUNK_BYTES)
    show(
        "reference: one plain file of 1.5 chunks, fdatasync",
        rate(lambda: plain_write(chunk + chunk[::2], 1)),
        CHUNK_BYTES,
    )
    show("reference: three plain 4 KiB files, fdatasync, 16 threads", rate(lambda: plain_write(small, 3), threads=16))


def measure_kernels(chunk: bytes) -> None:
    """Measure the pure parts."""
    scheme = parse_scheme("rs-4+2")
    fragments = encode(scheme, chunk)
    survivors = {index: fragments[index] for index in (1, 2, 4, 5)}
    nodes = tuple(NodeView(number, (number + 1) // 2) for number in range(1, 7))
    show("CRC-64/NVME of a chunk", rate(lambda: checksum_of(chunk)), CHUNK_BYTES)
    show("rs-4+2 encode", rate(lambda: encode(scheme, chunk)), CHUNK_BYTES)
    show("rs-4+2 decode, two data fragments lost", rate(lambda: decode(scheme, survivors, CHUNK_BYTES)), CHUNK_BYTES)
    show("place six fragments on six nodes", rate(lambda: place_fragments(uuid4(), 6, nodes)))


def measure_engine(topology: Topology, chunk: bytes, small: bytes) -> None:
    """Measure durable writes and verified reads."""
    warm_up_until = time.perf_counter() + SECONDS  # fan-out directories are made by the first writes
    while time.perf_counter() < warm_up_until:
        write_chunk(small, topology=topology)
    for threads in (1, 4, 16):
        rates = rate(lambda: write_chunk(small, topology=topology), threads=threads)
        show(f"write 4 KiB, replicate-3, durable, {threads} threads", rates)
    written_small = write_chunk(small, topology=topology).as_view()
    show("read 4 KiB", rate(lambda: read_chunk(written_small, topology=topology)))
    for threads in (1, 2):
        rates = rate(lambda: write_chunk(chunk, topology=topology), threads=threads)
        show(f"write 8 MiB, rs-4+2, durable, {threads} threads", rates, CHUNK_BYTES)
    written = write_chunk(chunk, topology=topology).as_view()

    def stream() -> None:
        for _ in read_chunk_range(written, topology=topology):
            pass

    show("read 8 MiB from the page cache", rate(stream), CHUNK_BYTES)
    show(
        "read 4 KiB in the middle of 8 MiB", rate(lambda: read_chunk(written, 5 << 20, SMALL_BYTES, topology=topology))
    )

    def check(view: ChunkView) -> None:
        for index in range(len(view.node_ids)):
            check_fragment(view, index, topology)

    show(
        "scrub: check the six fragments of 8 MiB from the page cache",
        rate(lambda: check(written)),
        CHUNK_BYTES * 3 // 2,
    )
    show("scrub: check the three copies of 4 KiB", rate(lambda: check(written_small)))
    for index in (0, 3):
        topology.store(written.node_ids[index]).delete_fragment(f"{written.id.hex}.{index}")
    show("read 8 MiB, two data fragments lost", rate(stream), CHUNK_BYTES)


def main() -> None:
    """Measure everything."""
    root = Path(tempfile.mkdtemp(prefix="chunks-benchmark-", dir=sys.argv[1] if len(sys.argv) > 1 else "."))
    chunk, small = os.urandom(CHUNK_BYTES), os.urandom(SMALL_BYTES)
    try:
        measure_reference(root, chunk, small)
        measure_kernels(chunk)
        measure_engine(make_topology(root), chunk, small)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
