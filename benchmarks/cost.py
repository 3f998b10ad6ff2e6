"""What a small request costs in processor time, and where: `python -m benchmarks.cost`.

On a machine that others use, too, rates say little; processor time says nearly the same as on a quiet one. The requests
are those of `make bench`, the reference is its view that does nothing. What a quarter of the reference's rate takes is
four times its processor time.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks import load
from benchmarks.measures import BUCKET, CONNECTIONS, small_objects, small_puts
from benchmarks.servers import Subject, running_nothing, running_system

ROW = "{:<12} {:>8} {:>9} {:>8} {:>8} {:>9} {:>10}"
PUTS_PER_SECOND_MAX = 4_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name,
        running_system(Path(name)) as subject,
        running_nothing(Path(name), subject.system.environment) as nothing_host,
    ):
        measure(subject, nothing_host, rounds=options.rounds, seconds=options.seconds)


def measure(subject: Subject, nothing_host: str, *, rounds: int, seconds: float) -> None:
    """Print microseconds of processor time a request, by part: the median of the rounds."""
    load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
    gets = [subject.signer.request("GET", path) for path in small_objects(subject)]
    key_count = int(seconds * PUTS_PER_SECOND_MAX)
    ids = subject.system.process_ids
    served = [psutil.Process(ids["gateway"]), psutil.Process(ids["postgresql"])]
    nothing = [_listener(nothing_host)]
    print(ROW.format("microseconds", "gateway", "database", "client", "in all", "reference", "a second"))
    for title, host, parts, requests in (
        ("nothing", nothing_host, nothing, lambda: gets),
        ("GET 4 KiB", subject.host, served, lambda: gets),
        ("PUT 4 KiB", subject.host, served, lambda: small_puts(subject, key_count)),
    ):
        costs, rates = zip(*(_round(host, parts, requests(), seconds) for _ in range(rounds + 1)), strict=True)
        medians = [statistics.median(part) for part in zip(*costs[1:], strict=True)]
        if title == "nothing":
            reference = sum(medians)
            medians.insert(1, 0.0)
        figures = [f"{figure:.0f}" for figure in (*medians, sum(medians))]
        print(ROW.format(title, *figures, f"{reference / sum(medians):.1%}", f"{statistics.median(rates):,.0f}"))


def _listener(host: str) -> psutil.Process:
    """Return the child that serves at an address."""
    port = int(host.rpartition(":")[2])
    for child in psutil.Process().children():
        for process in (child, *child.children(recursive=True)):
            if any(entry.laddr.port == port and entry.status == "LISTEN" for entry in process.net_connections()):
                return child
    raise AssertionError(f"no child listens on port {port}")


def _round(
    host: str, parts: Sequence[psutil.Process], requests: Sequence[bytes], seconds: float
) -> tuple[list[float], float]:
    """Return what a request costs each part and, last, the client; and how many there were a second."""
    before = [*map(spent, parts), own_children()]
    rate = load.drive(host, requests, connection_count=CONNECTIONS, seconds=seconds).per_second
    after = [*map(spent, parts), own_children()]
    count = rate * seconds
    return [(end - start) / count * 1e6 for start, end in zip(before, after, strict=True)], rate


def spent(process: psutil.Process) -> float:
    """Return the processor time of a process and of all below it, in seconds."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def own_children() -> float:
    """Return the processor time of this process's children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
