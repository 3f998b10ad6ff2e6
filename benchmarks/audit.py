"""The audit log: how fast it answers with many rows, and what recording costs: `python -m benchmarks.audit`.

What recording costs is told in processor time, of the gateway, the database, the journal, the workers that seal, and the
client, which says nearly the same on a busy machine as on a quiet one; rates stand beside it.

Exits with 1 where a bar is missed: a search takes 300 ms or longer, or a small GET loses a tenth to recording.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from benchmarks import load
from benchmarks.cost import own_children, spent
from benchmarks.servers import Subject, running_system
from benchmarks.signed import Signer
from s3protocol.presign import SigningCredentials
from tests.live.manage import REPOSITORY
from tests.live.processes import wait_until
from tests.live.system import free_ports, status_of

DAYS = 30
BATCH_ROWS = 500_000
REPEATS = 5
SEARCH_BAR_MILLISECONDS = 300
RECORDING_BAR = 0.9
DRIVE_SECONDS = 3.0
SETTLE_SECONDS = 2.0  # until what was recorded is written, and the journal has it
BUCKET = "audited"

# 1,000 principals, 300 buckets, 2,000,000 keys, some far more often than others; one in fifty refused.
_ROWS = """
INSERT INTO audit_auditevent (at, request_id, source, operation, action, account_id, principal, access_key_id, bucket, key,
    owner_id, outcome, reason, source_ip, user_agent, status, error_code, bytes_in, bytes_out, object_bytes, duration_us,
    method, request_uri, host, referer, auth_type, is_secure)
SELECT %(begin)s::timestamptz + (g * %(step)s::double precision) * interval '1 second',
       upper(lpad(to_hex(hashint8(g)::bigint & 4294967295), 16, '0')), 's3', operation, 's3:' || operation,
       lpad((principal %% 50)::text, 12, '1'), 'arn:aws:iam::' || lpad((principal %% 50)::text, 12, '1') || ':user/u' || principal,
       'AK' || lpad(principal::text, 18, '0'), 'bucket-' || bucket, 'photos/' || (key %% 1000) || '/' || key || '.jpg',
       lpad((bucket %% 50)::text, 12, '1'), outcome, 'the root user of the owning account may do everything', '10.0.' ||
       (principal %% 200) || '.' || (g %% 250), 'aws-cli/2.15 md/Botocore#1.40', status, CASE status WHEN 403 THEN 'AccessDenied'
       ELSE '' END, 0, 4096, 4096, 3000, 'GET', '/bucket-' || bucket || '/photos/' || key || '.jpg', 's3.example.org', '',
       'HEADER_V4', true
  FROM (SELECT g, (power(random(), 3) * 1000)::int AS principal, (power(random(), 2) * 300)::int AS bucket,
               (power(random(), 2) * 2000000)::int AS key, (ARRAY['GetObject', 'HeadObject', 'PutObject', 'ListObjectsV2'])
               [1 + (random() * 3)::int] AS operation, CASE WHEN random() < 0.02 THEN 403 ELSE 200 END AS status,
               CASE WHEN random() < 0.02 THEN 'not allowed' ELSE 'allowed' END AS outcome
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) g) r
"""


def main() -> int:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=12, help="of the comparison of recording with not recording")
    parser.add_argument("--only", choices=("search", "recording"))
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name,
        running_system(Path(name)) as subject,
    ):
        is_reached = True
        if options.only != "search":
            is_reached &= recording(subject, Path(name), options.rounds)
        if options.only != "recording":
            is_reached &= searches(subject, options.rows)
    return 0 if is_reached else 1


def recording(subject: Subject, directory: Path, rounds: int) -> bool:
    """Send the same small GETs to a gateway that audits reads and to one that does not, in turns.

    Both are started alike, beside the system's own, which has memory in common with its supervisor and costs a little more.
    """
    with another_gateway(subject, directory, "on") as talking, another_gateway(subject, directory, "off") as silent:
        # The supervisor is left out: the others are its children, and would count twice.
        running = subject.system.process_ids.items()
        served = {name: psutil.Process(number) for name, number in running if name != "objstore"}
        served |= {"auditing gateway": talking.process, "other gateway": silent.process}
        load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
        paths = [f"/{BUCKET}/{uuid4()}" for _ in range(100)]
        load.send_all(subject.host, [subject.signer.request("PUT", path, body=os.urandom(4096)) for path in paths])
        audited, unaudited = Recorded(), Recorded()
        ways = [(audited, talking, talking.gets(subject, paths)), (unaudited, silent, silent.gets(subject, paths))]
        for number in range(rounds + 1):
            for recorded, gateway, requests in (
                ways if number % 2 else reversed(ways)
            ):  # what drifts disturbs both alike
                measured = drive(subject, gateway.host, requests, served)
                if number:
                    recorded.add(*measured)
    ratio = unaudited.cost_microseconds / audited.cost_microseconds
    print(
        f"GET 4 KiB: {audited.cost_microseconds:,.0f} µs of processor time audited, "
        f"{unaudited.cost_microseconds:,.0f} µs not audited: {ratio:.1%} (bar {RECORDING_BAR:.0%}); "
        f"{audited.rate:,.0f} and {unaudited.rate:,.0f} requests a second",
        flush=True,
    )
    for name, recorded in (("audited", audited), ("not audited", unaudited)):
        told = (f"{part} {seconds / recorded.count * 1e6:.0f}" for part, seconds in recorded.parts.items())
        print(f"  {name}, µs: {', '.join(told)}", flush=True)
    return ratio >= RECORDING_BAR


@dataclass(slots=True)
class Recorded:
    """What all rounds together took: requests, their wall time, and processor time by part, in seconds."""

    count: float = 0
    seconds: float = 0
    parts: dict[str, float] = field(default_factory=dict)
    costs: list[float] = field(default_factory=list)  # of each round, in seconds a request

    def add(self, count: float, seconds: float, parts: dict[str, float]) -> None:
        """Count a round."""
        self.count += count
        self.seconds += seconds
        self.costs.append(sum(parts.values()) / count)
        for name, spent_seconds in parts.items():
            self.parts[name] = self.parts.get(name, 0.0) + spent_seconds

    @property
    def cost_microseconds(self) -> float:
        """Processor time for a request, in the median of the rounds: another's load on the machine falls upon a few."""
        return statistics.median(self.costs) * 1e6

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds


def drive(
    subject: Subject, host: str, requests: list[bytes], served: dict[str, psutil.Process]
) -> tuple[float, float, dict[str, float]]:
    """Send the requests for some seconds; return how many, for how long, and the processor time that it took by part.

    That of what comes later counts, too: the rows are written, journaled and sealed before the clock is read again.
    """

    def spent_by_part() -> dict[str, float]:
        return {"client": own_children(), **{name: spent(process) for name, process in served.items()}}

    before = spent_by_part()
    rate = load.drive(host, requests, connection_count=32, seconds=DRIVE_SECONDS).per_second
    time.sleep(SETTLE_SECONDS)
    for _ in range(2):  # the second finds settled what the first has noted
        subject.system.manage("keep_audit_log")
    parts = {name: seconds - before[name] for name, seconds in spent_by_part().items()}
    return rate * DRIVE_SECONDS, DRIVE_SECONDS, parts


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway of the system, beside its own."""

    host: str
    process: psutil.Process

    def gets(self, subject: Subject, paths: list[str]) -> list[bytes]:
        """Return signed requests for the paths."""
        signer = Signer(self.host, SigningCredentials(subject.system.access_key, subject.system.secret_key))
        return [signer.request("GET", path) for path in paths]


@contextlib.contextmanager
def another_gateway(subject: Subject, directory: Path, audit_reads: str) -> Iterator[Gateway]:
    """Run another gateway of the system, which audits reads or does not."""
    host = f"127.0.0.1:{free_ports(1)[0]}"
    environment = {**subject.system.environment, "OBJSTORE_S3_ADDRESS": host, "OBJSTORE_AUDIT_READS": audit_reads}
    arguments = [sys.executable, "-m", "objstore_project.supervisor.web_server", "gateway"]
    with (directory / f"gateway-{audit_reads}.log").open("wb") as log:
        process = subprocess.Popen(arguments, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: status_of(f"http://{host}/-/ready") == 200, "another gateway serves")
        yield Gateway(host, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(20)


def searches(subject: Subject, row_count: int) -> bool:
    """Load the rows, and time what people ask."""
    os.environ.update(subject.system.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.console"
    import django

    django.setup()
    from django.db import connection

    from audit.selectors import AuditFilter, search

    now = datetime.now(UTC)
    fill(connection, row_count, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT bucket, key, at FROM audit_auditevent TABLESAMPLE SYSTEM (0.01) LIMIT 400")
        sampled = cursor.fetchall()
        cursor.execute("SELECT request_id FROM audit_auditevent TABLESAMPLE SYSTEM (0.01) LIMIT 400")
        request_ids = [row[0] for row in cursor.fetchall()]
    step = max(1, len(sampled) // REPEATS)
    rare, common = 999, 1
    asked: dict[str, list[AuditFilter]] = {
        "by key": [AuditFilter(bucket=bucket, key=key) for bucket, key, _ in sampled[::step]],
        "by key that is not there": [AuditFilter(bucket="bucket-1", key="nothing")],
        "by actor, common": [AuditFilter(principal=arn(number)) for number in range(common, common + REPEATS)],
        "by actor, rare": [AuditFilter(principal=arn(number)) for number in range(rare - REPEATS, rare)],
        "by actor and refused": [AuditFilter(principal=arn(number), is_refused=True) for number in (1, 500, 990)],
        "by time": [AuditFilter(since=at, until=at + timedelta(minutes=1)) for _, _, at in sampled[::step]],
        "newest": [AuditFilter()],
        "by request": [
            AuditFilter(request_id=request_id) for request_id in request_ids[:: len(request_ids) // REPEATS]
        ],
        "by access key": [AuditFilter(access_key_id=f"AK{number:018d}") for number in (1, 500, 999)],
        "by bucket": [AuditFilter(bucket=f"bucket-{number}") for number in (1, 150, 299)],
        "by address": [AuditFilter(source_ip="10.0.199.77")],
        "refused, in a bucket": [AuditFilter(bucket="bucket-299", is_refused=True)],
    }
    is_reached = True
    for name, filters in asked.items():
        times = [timed(lambda wanted=wanted: search(wanted, limit=50)) for wanted in filters]
        has_bar = name.split(",")[0] in ("by key", "by key that is not there", "by actor", "by time")
        is_reached &= not has_bar or max(times) < SEARCH_BAR_MILLISECONDS
        print(
            f"{name:<26} median {statistics.median(times):7.1f} ms, slowest {max(times):7.1f} ms"
            + (f" (bar {SEARCH_BAR_MILLISECONDS} ms)" if has_bar else ""),
            flush=True,
        )
    print_sizes(connection)
    connection.close()
    return is_reached


def arn(number: int) -> str:
    """Return the ARN of a principal."""
    return f"arn:aws:iam::{str(number % 50).rjust(12, '1')}:user/u{number}"


def timed(call: Callable[[], Any]) -> float:
    """Return how many milliseconds a call takes."""
    started_at = time.perf_counter()
    call()
    return (time.perf_counter() - started_at) * 1000


def fill(connection: Any, row_count: int, now: datetime) -> None:
    """Insert the rows, in order of time, over the last days."""
    from audit.services.partitions import _make_partition, list_days

    days = {(now - timedelta(days=ago)).date() for ago in range(DAYS + 1)}
    for day in sorted(days - set(list_days())):
        _make_partition(day)
    step = DAYS * 86_400 / row_count
    started_at = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        for first in range(0, row_count, BATCH_ROWS):
            last = min(first + BATCH_ROWS, row_count) - 1
            cursor.execute(_ROWS, {"begin": now - timedelta(days=DAYS), "step": step, "first": first, "last": last})
        seconds = time.perf_counter() - started_at
        print(f"{row_count:,} rows inserted in {seconds:,.0f} s ({row_count / seconds:,.0f}/s)", flush=True)
        cursor.execute("VACUUM (ANALYZE) audit_auditevent")


def print_sizes(connection: Any) -> None:
    """Print how large the log and its indexes are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_size_pretty(sum(pg_table_size(i.inhrelid))), pg_size_pretty(sum(pg_indexes_size(i.inhrelid))) "
            "FROM pg_inherits i WHERE i.inhparent = 'audit_auditevent'::regclass"
        )
        print("rows {}, indexes {}".format(*cursor.fetchone()))


if __name__ == "__main__":
    sys.exit(main())
