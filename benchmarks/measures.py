"""The measurements of `make bench`: what is sent, and what it is compared with."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks import load
from benchmarks.comparison import Comparison, compare
from benchmarks.servers import Subject
from benchmarks.signed import UNSIGNED_PAYLOAD

MEBIBYTE = 1 << 20
SMALL_BYTES = 4096
LISTED_KEYS = 1_000
CONNECTIONS = 32
BUCKET = "benchmark"
NOTHING = "view that does nothing"


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    large_bytes: int


FULL = Effort(rounds=5, seconds=2.0, large_bytes=512 * MEBIBYTE)
QUICK = Effort(rounds=3, seconds=1.0, large_bytes=128 * MEBIBYTE)


def measure_all(
    subject: Subject,
    nothing_host: str,
    nginx_host: str,
    nginx_directory: Path,
    effort: Effort,
    *,
    names: Sequence[str] | None,
) -> Iterator[Comparison]:
    """Yield one comparison after the other; only those of `names`, if given."""
    load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
    content = _random_pieces(effort.large_bytes)
    measures: dict[str, Callable[[], Comparison]] = {
        "get": lambda: small_get(subject, nothing_host, effort),
        "put": lambda: small_put(subject, nothing_host, effort),
        "head": lambda: head(subject, nothing_host, effort),
        "list": lambda: listing(subject, nothing_host, effort),
        "large-put": lambda: large_put(subject, content, effort),
        "large-get": lambda: large_get(subject, content, nginx_host, nginx_directory, effort),
    }
    for name, measure in measures.items():
        if names is None or name in names:
            yield measure()


def small_get(subject: Subject, nothing_host: str, effort: Effort) -> Comparison:
    """GET objects of 4 KiB, 100 of them in turn."""
    paths = small_objects(subject)
    requests = [subject.signer.request("GET", path) for path in paths]
    return _against_nothing("GET 4 KiB", subject, nothing_host, requests, effort, bar=0.25)


def small_put(subject: Subject, nothing_host: str, effort: Effort) -> Comparison:
    """PUT objects of 4 KiB to new keys: three fsynced copies and a commit each."""
    key_count = int(effort.seconds * 2_000)
    reference_requests = small_puts(subject, 1)

    def put() -> float:
        return _drive(subject.host, small_puts(subject, key_count), effort)

    return compare(
        "PUT 4 KiB",
        "1/s",
        put,
        NOTHING,
        lambda: _drive(nothing_host, reference_requests, effort),
        rounds=effort.rounds,
        bar=0.08,
    )


def head(subject: Subject, nothing_host: str, effort: Effort) -> Comparison:
    """HEAD the same objects."""
    requests = [subject.signer.request("HEAD", path) for path in small_objects(subject)]
    return _against_nothing("HEAD", subject, nothing_host, requests, effort)


def listing(subject: Subject, nothing_host: str, effort: Effort) -> Comparison:
    """List 1,000 keys in one answer."""
    body = b"x"
    keys = [f"/{BUCKET}/listed/{number:06d}" for number in range(LISTED_KEYS)]
    load.send_all(subject.host, [subject.signer.request("PUT", key, body=body) for key in keys])
    query = [("list-type", "2"), ("prefix", "listed/"), ("max-keys", str(LISTED_KEYS))]
    requests = [subject.signer.request("GET", f"/{BUCKET}", query=query)]
    return _against_nothing("LIST 1,000 keys", subject, nothing_host, requests, effort)


def large_put(subject: Subject, content: list[bytes], effort: Effort) -> Comparison:
    """PUT one large object as one stream, against MD5 of the same bytes in one thread."""
    size_bytes = sum(map(len, content))

    def put() -> float:
        return size_bytes / MEBIBYTE / _put_large(subject, content)

    def md5() -> float:
        digest = hashlib.md5(usedforsecurity=False)
        started_at = time.perf_counter()
        for piece in content:
            digest.update(piece)
        return size_bytes / MEBIBYTE / (time.perf_counter() - started_at)

    name = f"PUT {size_bytes // MEBIBYTE} MiB"
    return compare(name, "MiB/s", put, "MD5 in one thread", md5, rounds=effort.rounds, bar=0.4)


def large_get(
    subject: Subject, content: list[bytes], nginx_host: str, nginx_directory: Path, effort: Effort
) -> Comparison:
    """GET that object, against nginx with the same bytes in one file."""
    size_bytes = sum(map(len, content))
    with (nginx_directory / "large").open("wb") as file:
        file.writelines(content)
    _put_large(subject, content)

    def get() -> float:
        request = subject.signer.request("GET", f"/{BUCKET}/large")
        return size_bytes / MEBIBYTE / load.download(subject.host, request, size_bytes)

    def nginx() -> float:
        request = f"GET /large HTTP/1.1\r\nhost: {nginx_host}\r\n\r\n".encode()
        return size_bytes / MEBIBYTE / load.download(nginx_host, request, size_bytes)

    name = f"GET {size_bytes // MEBIBYTE} MiB"
    return compare(name, "MiB/s", get, "nginx", nginx, rounds=effort.rounds, bar=0.3)


def _against_nothing(
    name: str, subject: Subject, nothing_host: str, requests: list[bytes], effort: Effort, *, bar: float | None = None
) -> Comparison:
    """Send the same requests to both."""
    return compare(
        name,
        "1/s",
        lambda: _drive(subject.host, requests, effort),
        NOTHING,
        lambda: _drive(nothing_host, requests, effort),
        rounds=effort.rounds,
        bar=bar,
    )


def _drive(host: str, requests: list[bytes], effort: Effort) -> float:
    return load.drive(host, requests, connection_count=CONNECTIONS, seconds=effort.seconds).per_second


def small_puts(subject: Subject, count: int) -> list[bytes]:
    """Return requests that put 4 KiB each, all to keys of their own."""
    body = os.urandom(SMALL_BYTES)
    return [subject.signer.request("PUT", f"/{BUCKET}/put/{uuid4()}", body=body) for _ in range(count)]


def small_objects(subject: Subject) -> list[str]:
    """Put 100 objects of 4 KiB; return their paths."""
    paths = [f"/{BUCKET}/small/{number}" for number in range(100)]
    load.send_all(subject.host, [subject.signer.request("PUT", path, body=os.urandom(SMALL_BYTES)) for path in paths])
    return paths


def _put_large(subject: Subject, content: list[bytes]) -> float:
    size_bytes = sum(map(len, content))
    request_head = subject.signer.head("PUT", f"/{BUCKET}/large", size_bytes=size_bytes, payload_hash=UNSIGNED_PAYLOAD)
    return load.upload(subject.host, request_head, content)


def _random_pieces(size_bytes: int) -> list[bytes]:
    return [os.urandom(MEBIBYTE) for _ in range(size_bytes // MEBIBYTE)]
