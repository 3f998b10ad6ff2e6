"""What moves no bytes, whatever the size: `python -m benchmarks.latency`.

Completing an upload of 1,000 parts and copying an object of 1 GiB are statements, and take what statements take.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
from pathlib import Path

from benchmarks import load
from benchmarks.servers import Subject, running_system
from benchmarks.signed import UNSIGNED_PAYLOAD

BUCKET = "latency"
MEBIBYTE = 1 << 20
PART_BYTES = 5 * MEBIBYTE
PART_COUNT = 1_000
LARGE_BYTES = 1 << 30
ROUNDS = 5
BAR_MILLISECONDS = 200


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--directory", type=Path)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="objstore-bench-", dir=options.directory) as name,
        running_system(Path(name)) as subject,
    ):
        load.send_all(subject.host, [subject.signer.request("PUT", f"/{BUCKET}")])
        report(f"complete an upload of {PART_COUNT:,} parts", [complete(subject) for _ in range(ROUNDS)])
        pieces = [os.urandom(MEBIBYTE)] * (LARGE_BYTES // MEBIBYTE)
        head = subject.signer.head("PUT", f"/{BUCKET}/large", size_bytes=LARGE_BYTES, payload_hash=UNSIGNED_PAYLOAD)
        load.upload(subject.host, head, pieces)
        report("copy an object of 1 GiB", [copy(subject, number) for number in range(ROUNDS)])


def report(name: str, seconds: list[float]) -> None:
    """Print a line."""
    milliseconds = sorted(value * 1000 for value in seconds)
    print(
        f"{name:<36} median {statistics.median(milliseconds):6.1f} ms, slowest {milliseconds[-1]:6.1f} ms "
        f"(bar: {BAR_MILLISECONDS} ms)"
    )


def complete(subject: Subject) -> float:
    """Make an upload whose parts are copies of one object; return how long its completion took."""
    source = f"/{BUCKET}/part"
    load.send_all(subject.host, [subject.signer.request("PUT", source, body=os.urandom(PART_BYTES))])
    target = f"/{BUCKET}/parts"
    _, answer = load.exchange(subject.host, subject.signer.request("POST", target, query=[("uploads", "")]))
    upload_id = _text_of("UploadId", answer)
    copies = [
        subject.signer.head(
            "PUT",
            target,
            query=[("partNumber", str(number)), ("uploadId", upload_id)],
            headers={"x-amz-copy-source": source},
        )
        for number in range(1, PART_COUNT + 1)
    ]
    etag = _text_of("ETag", load.exchange(subject.host, copies[0])[1])
    load.send_all(subject.host, copies[1:])
    parts = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number in range(1, PART_COUNT + 1)
    )
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    request = subject.signer.request("POST", target, query=[("uploadId", upload_id)], body=body)
    return load.exchange(subject.host, request)[0]


def copy(subject: Subject, number: int) -> float:
    """Copy the large object; return how long it took."""
    request = subject.signer.head("PUT", f"/{BUCKET}/copy-{number}", headers={"x-amz-copy-source": f"/{BUCKET}/large"})
    return load.exchange(subject.host, request)[0]


def _text_of(element: str, document: bytes) -> str:
    found = re.search(f"<{element}>(.*?)</{element}>", document.decode())
    assert found is not None, document
    return found[1]


if __name__ == "__main__":
    main()
