"""Clients that read and write while something happens to the store, and remember what they were told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from tests.live.system import LiveSystem

SIZES = (0, 1, 3_000, 70_000, 131_072, 300_000, 1_500_000)


@dataclass
class Load:
    """What clients wrote and read so far."""

    system: LiveSystem
    bucket: str
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    reads: int = 0
    writes: int = 0
    is_stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def assert_reads(self) -> None:
        """Find everything that was acknowledged as it was."""
        client = self.system.client()
        for key, body in sorted(self.acknowledged.items()):
            assert client.get_object(Bucket=self.bucket, Key=key)["Body"].read() == body, key

    def work(self, number: int, seed: int) -> None:
        """Read and write until the end. Whatever fails, or is not what it was, is an error."""
        chance, client, count = random.Random(f"{seed}/{number}"), self.system.client(), 0
        while not self.is_stopping.is_set():
            try:
                key, body = f"load/{number}/{count}", chance.randbytes(chance.choice(SIZES))
                client.put_object(Bucket=self.bucket, Key=key, Body=body)
                with self.lock:
                    self.acknowledged[key] = body
                    self.writes += 1
                count += 1
                with self.lock:
                    key, body = chance.choice(list(self.acknowledged.items()))
                read = client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                if read != body:
                    self.errors.append(f"{key}: {len(read)} bytes that are not what was written")
                self.reads += 1
            except (ClientError, BotoCoreError) as error:
                self.errors.append(f"{time.monotonic():.1f}: {error}")
                time.sleep(0.05)


@contextmanager
def load(
    system: LiveSystem, bucket: str, *, seed: int, clients: int = 3, before: Mapping[str, bytes] | None = None
) -> Iterator[Load]:
    """Let clients work while the block runs."""
    found = Load(system, bucket, dict(before or {}))
    threads = [threading.Thread(target=found.work, args=(number, seed), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        found.is_stopping.set()
        for thread in threads:
            thread.join(timeout=120)
        print(f"{found.writes} writes, {found.reads} reads, {len(found.errors)} errors: {found.errors[:5]}")
