"""S3's semantics in memory: one bucket, its versions, markers and uploads. What the live server is compared with.

Small enough to be checked by reading. Version and upload ids are the server's; all else follows from the calls.
Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html and its neighbours on
versioning, conditional-writes.html, ListingKeysUsingAPIs.html.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

PART_SIZE_BYTES_MIN = 5 << 20


class Refused(Exception):
    """The call fails with this S3 error code and changes nothing."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a key; without a body it is a delete marker."""

    version_id: str
    body: bytes | None
    etag: str = ""

    @property
    def is_marker(self) -> bool:
        """Whether this is a delete marker."""
        return self.body is None


@dataclass(slots=True)
class Upload:
    """An upload in progress: its key, and its parts by number."""

    key: str
    parts: dict[int, bytes] = field(default_factory=dict)


def etag_of(body: bytes) -> str:
    """Return the ETag of an object that was put at once."""
    return f'"{hashlib.md5(body).hexdigest()}"'


class BucketModel:
    """A bucket. The versions of a key stand newest first."""

    def __init__(self) -> None:
        self.versioning = ""
        self.keys: dict[str, list[Version]] = {}
        self.uploads: dict[str, Upload] = {}

    # Reading

    def current(self, key: str) -> Version | None:
        """Return what a plain read finds, None for nothing or a delete marker."""
        versions = self.keys.get(key, [])
        return versions[0] if versions and not versions[0].is_marker else None

    def version(self, key: str, version_id: str) -> Version | None:
        """Return a version by its id."""
        return next((version for version in self.keys.get(key, []) if version.version_id == version_id), None)

    def visible(self) -> dict[str, Version]:
        """Return the current objects by key, in the order of a listing."""
        found = {key: self.current(key) for key in sorted(self.keys, key=str.encode)}
        return {key: version for key, version in found.items() if version is not None}

    def all_versions(self) -> list[tuple[str, Version, bool]]:
        """Return (key, version, is it the latest) in the order of a listing."""
        return [
            (key, version, position == 0)
            for key in sorted(self.keys, key=str.encode)
            for position, version in enumerate(self.keys[key])
        ]

    def listing(self, prefix: str, delimiter: str) -> list[str]:
        """Return keys and common prefixes as a listing without pages merges them."""
        names: list[str] = []
        for key in self.visible():
            if not key.startswith(prefix):
                continue
            name = key
            if delimiter and (at := key.find(delimiter, len(prefix))) >= 0:
                name = key[: at + len(delimiter)]
            if name not in names:
                names.append(name)
        return names

    def usage(self) -> tuple[int, int, int]:
        """Return the number of current objects, of versions, and the bytes of all versions."""
        bodies = [version.body for _, version, _ in self.all_versions() if version.body is not None]
        return len(self.visible()), len(bodies), sum(map(len, bodies))

    # Writing

    def check_write(self, key: str, if_none_match: str | None, if_match: str | None) -> None:
        """Refuse a write whose conditions do not hold."""
        current = self.current(key)
        if if_none_match == "*" and current is not None:
            raise Refused("PreconditionFailed")
        if if_match is not None:
            if current is None:
                raise Refused("NoSuchKey")
            if if_match != current.etag:
                raise Refused("PreconditionFailed")

    def write(self, key: str, body: bytes, etag: str, version_id: str) -> None:
        """Make a version the current one; `version_id` counts only where versioning is enabled."""
        self._push(key, Version(version_id if self.versioning == "Enabled" else "null", body, etag))

    def delete(self, key: str, marker_id: str) -> None:
        """Delete without naming a version: a marker where versioning is or was enabled, else the object goes."""
        if self.versioning == "":
            self.delete_version(key, "null")
        else:
            self._push(key, Version(marker_id if self.versioning == "Enabled" else "null", None))

    def delete_version(self, key: str, version_id: str) -> None:
        """Delete a version for good; the next older one is current then."""
        left = [version for version in self.keys.get(key, []) if version.version_id != version_id]
        if left:
            self.keys[key] = left
        else:
            self.keys.pop(key, None)

    def _push(self, key: str, version: Version) -> None:
        """Put a version on top; of null versions there is only one."""
        if version.version_id == "null":
            self.delete_version(key, "null")
        self.keys[key] = [version, *self.keys.get(key, [])]

    # Uploads

    def completed(self, upload_id: str, numbers: list[int]) -> tuple[bytes, str]:
        """Return body and ETag of the object that the numbered parts make."""
        parts = self.uploads[upload_id].parts
        if numbers != sorted(set(numbers)):
            raise Refused("InvalidPartOrder")
        if any(number not in parts for number in numbers):
            raise Refused("InvalidPart")
        if any(len(parts[number]) < PART_SIZE_BYTES_MIN for number in numbers[:-1]):
            raise Refused("EntityTooSmall")
        digests = b"".join(hashlib.md5(parts[number]).digest() for number in numbers)
        body = b"".join(parts[number] for number in numbers)
        return body, f'"{hashlib.md5(digests).hexdigest()}-{len(numbers)}"'
