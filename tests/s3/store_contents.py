"""What the store holds, seen from inside: usage counters, and everything that a bucket shows.

Counters are asked of `objects.selectors.usage` in one long process of `manage.py shell`, since each start costs seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.live.manage import REPOSITORY
from tests.live.system import LiveSystem

_PROGRAM = """
import dataclasses, json, sys
from buckets.selectors import find_bucket
from objects.selectors.usage import find_usage
for line in sys.stdin:
    bucket = find_bucket(line.strip())
    print("usage", json.dumps(dataclasses.asdict(find_usage([bucket.id])[bucket.id])), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Counters:
    """What S3 sees of a bucket, as the usage counters say: current objects, versions, bytes of all versions."""

    object_count: int
    version_count: int
    size_bytes: int


class UsageReader:
    """Reads the counters of a live system; a context manager."""

    def __init__(self, live: LiveSystem) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), "shell", "--verbosity=0", "--command", _PROGRAM],
            env=dict(live.environment),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=20)

    def read(self, bucket: str) -> Counters:
        """Return the counters of a bucket as of now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(bucket + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            name, _, text = line.partition(" ")
            if name == "usage":
                usage = json.loads(text)
                return Counters(usage["object_count"], usage["version_count"], usage["size_bytes"])
        raise AssertionError("the shell ended")


def contents_of(client: Any, bucket: str) -> dict[str, Any]:
    """Return everything that S3 shows of a bucket but for times; two equal answers mean an unchanged bucket."""
    versions = client.list_object_versions(Bucket=bucket)
    assert not versions["IsTruncated"]
    return {
        "versions": [
            (item["Key"], item["VersionId"], item["IsLatest"], item["ETag"], item["Size"])
            for item in versions.get("Versions", [])
        ],
        "markers": [(item["Key"], item["VersionId"], item["IsLatest"]) for item in versions.get("DeleteMarkers", [])],
        "uploads": [
            (item["Key"], item["UploadId"]) for item in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        ],
        "versioning": client.get_bucket_versioning(Bucket=bucket).get("Status"),
    }
