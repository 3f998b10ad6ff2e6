"""Listings of a bucket of a million keys: `python -m benchmarks.listing`.

The rows are loaded by SQL, the listings asked for through the S3 API. What is to be shown: a page costs the same wherever
it begins, and a listing of common prefixes costs what it returns, not what it skips.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks import load
from benchmarks.servers import Subject, running_system
from objstore_project.supervisor.postgresql import DATABASE, connect

BUCKET = "million"
PREFIX_COUNT = 1_000
ROUNDS = 15

_LOAD = """
WITH bucket AS (SELECT id, owner_id FROM buckets_bucket WHERE name = %(bucket)s),
loaded AS (
    INSERT INTO objects_object (bucket_id, key, is_listed, current_version_id)
    SELECT bucket.id, format('%%s/%%s', to_char(n %% %(prefixes)s, 'FM000000'), to_char(n / %(prefixes)s, 'FM000000')),
           true, nextval('objects_objectversion_id_seq')
      FROM bucket, generate_series(0, %(keys)s - 1) AS n
    RETURNING id, bucket_id, current_version_id
)
INSERT INTO objects_objectversion (id, object_id, bucket_id, version_id, owner_id, etag, size_bytes, headers, metadata,
                                   tags)
SELECT loaded.current_version_id, loaded.id, loaded.bucket_id, 'null', bucket.owner_id, md5(loaded.id::text), 0, '{}',
       '{}', '{}'
  FROM loaded, bucket
"""


def main() -> None:
    """Load, list, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name,
        running_system(Path(name)) as subject,
    ):
        load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
        with connect(subject.system.runtime_dir, DATABASE) as connection:
            connection.execute(_LOAD, {"bucket": BUCKET, "prefixes": PREFIX_COUNT, "keys": options.keys})
        measure(subject, "after loading, before any ANALYZE", options.keys)
        with connect(subject.system.runtime_dir, DATABASE) as connection:
            connection.execute("VACUUM ANALYZE objects_object, objects_objectversion")
        measure(subject, "after VACUUM ANALYZE", options.keys)


def measure(subject: Subject, moment: str, key_count: int) -> None:
    """Print what pages cost."""
    last = f"{PREFIX_COUNT - 1:06d}/"
    pages = {
        "1,000 keys at the start": [],
        "1,000 keys in the middle": [("start-after", f"{PREFIX_COUNT // 2:06d}/")],
        "1,000 keys at the end": [("start-after", last)] if key_count >= PREFIX_COUNT**2 else [],
        "1,000 top-level prefixes": [("delimiter", "/")],
        "100 top-level prefixes": [("delimiter", "/"), ("max-keys", "100")],
        "10 top-level prefixes": [("delimiter", "/"), ("max-keys", "10")],
    }
    milliseconds: dict[str, list[float]] = {name: [] for name in pages}
    for turn in range(ROUNDS + 3):
        for name, parameters in pages.items():
            request = subject.signer.request("GET", f"/{BUCKET}", query=[("list-type", "2"), *parameters])
            seconds, _ = load.exchange(subject.host, request)
            if turn >= 3:
                milliseconds[name].append(seconds * 1000)
    print(f"\n{key_count:,} keys, {moment}; median of {ROUNDS} requests")
    start = statistics.median(milliseconds["1,000 keys at the start"])
    for name, measured in milliseconds.items():
        median = statistics.median(measured)
        print(f"  {name:<26} {median:8.1f} ms   {median / start:6.2f} of a page at the start")


if __name__ == "__main__":
    main()
