"""The memory of the gateway's workers while an object of 4 GiB goes up and comes down: `python -m benchmarks.memory`."""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from benchmarks import load
from benchmarks.servers import Subject, running_system
from benchmarks.signed import UNSIGNED_PAYLOAD

BUCKET = "memory"
MEBIBYTE = 1 << 20
SAMPLE_SECONDS = 0.05
BAR_MEBIBYTES = 300


def main() -> None:
    """Transfer, watch, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=4096)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    size_bytes = options.mebibytes * MEBIBYTE
    with (
        tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name,
        running_system(Path(name)) as subject,
    ):
        load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
        report("at rest", watched(subject, lambda: None))
        head = subject.signer.head("PUT", f"/{BUCKET}/large", size_bytes=size_bytes, payload_hash=UNSIGNED_PAYLOAD)
        pieces = [os.urandom(MEBIBYTE)] * options.mebibytes
        report(f"uploading {options.mebibytes} MiB", watched(subject, lambda: load.upload(subject.host, head, pieces)))
        request = subject.signer.request("GET", f"/{BUCKET}/large")
        report(
            f"downloading {options.mebibytes} MiB",
            watched(subject, lambda: load.download(subject.host, request, size_bytes)),
        )


def report(name: str, peaks: list[float]) -> None:
    """Print a line."""
    print(
        f"{name:<22} peak of each worker: {', '.join(f'{peak:.0f} MiB' for peak in peaks)} (bar: {BAR_MEBIBYTES} MiB)"
    )


def watched(subject: Subject, work: Callable[[], object]) -> list[float]:
    """Do the work; return the peak resident memory of each gateway worker meanwhile, in MiB."""
    workers = _workers(subject.system.process_ids["gateway"])
    peaks = dict.fromkeys(workers, 0.0)
    is_done = threading.Event()

    def watch() -> None:
        while True:
            for worker in workers:
                peaks[worker] = max(peaks[worker], _resident_mebibytes(worker))
            if is_done.wait(SAMPLE_SECONDS):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        is_done.set()
        watcher.join()
    return list(peaks.values())


def _workers(gateway: int) -> list[int]:
    children = Path(f"/proc/{gateway}/task/{gateway}/children").read_text().split()
    return [int(child) for child in children if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _resident_mebibytes(process_id: int) -> float:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE


if __name__ == "__main__":
    main()
