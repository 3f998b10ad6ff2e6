"""What a replica from another store brings along that no header of S3 has: its version id, its ETag, its parts. Pure.

One header, `x-objstore-replica`: base 64 (URL-safe) of a JSON object. Who sends it needs s3:ReplicateObject, or
s3:ReplicateDelete for a delete marker. Stores that don't know it ignore it and make versions of their own.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from s3protocol import errors

HEADER = "x-objstore-replica"
STATUS = "REPLICA"
PARTS_MAX = 200
"""More parts than that don't fit into a header; the replica is then read as one part."""

_VERSION_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_ETAG = re.compile(r"[0-9a-f]{32}(-[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class ReplicaClaim:
    """What the replica shall be. No ETag (a delete marker has none) is the usual one of the bytes."""

    version_id: str
    etag: str = ""
    parts: tuple[tuple[int, int], ...] = ()

    def header(self) -> str:
        """Render the header."""
        members: dict[str, Any] = {"version_id": self.version_id}
        if self.etag:
            members["etag"] = self.etag
        if 0 < len(self.parts) <= PARTS_MAX:
            members["parts"] = self.parts
        return base64.urlsafe_b64encode(json.dumps(members, separators=(",", ":")).encode()).decode()

    def columns(self) -> dict[str, Any]:
        """Return the columns of the version that it determines."""
        return {
            "version_id": self.version_id,
            "etag": self.etag,
            "part_count": len(self.parts) or None,
            "parts": [[number, size_bytes, ""] for number, size_bytes in self.parts] or None,
            "replication_status": STATUS,
        }


def parse_claim(header: str) -> ReplicaClaim:
    """Read the header. Raises InvalidArgument."""
    try:
        members = json.loads(base64.b64decode(header.encode(), altchars=b"-_", validate=True))
        parts = tuple((int(number), int(size_bytes)) for number, size_bytes in members.get("parts", ()))
        claim = ReplicaClaim(str(members["version_id"]), str(members.get("etag", "")), parts)
    except (ValueError, TypeError, KeyError, AttributeError):
        _refuse(header)
    is_etag = not claim.etag or _ETAG.fullmatch(claim.etag) is not None
    numbers = [number for number, _ in parts]
    is_list = all(0 < number <= 10_000 and size_bytes >= 0 for number, size_bytes in parts)
    if not (_VERSION_ID.fullmatch(claim.version_id) and is_etag and is_list and sorted(set(numbers)) == numbers):
        _refuse(header)
    return claim


def _refuse(header: str) -> Any:
    raise errors.InvalidArgument("The replica header is malformed", ArgumentName=HEADER, ArgumentValue=header)
