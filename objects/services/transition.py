"""Move versions to another storage class, in place: row, version id, ETag, checksum, times and encryption stay.

Write ordering: as paragraphs 1 and 2, with the version there already. The bytes are written anew in the target class,
then one transaction exchanges the extents, if the version still is what was read; killed before,
the new fragments are orphans; after, the old chunks are questions. Where both classes keep bytes alike, none moves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import transaction

from buckets.storage_classes import INTELLIGENT_TIERING
from events.cause import TRANSITION
from objects.encryption import Method
from objects.selectors.lookup import VersionRecord, look_up_row
from objects.services.body import StoredBody, discard_body, discarded_if_refused, store_body
from objects.services.encryption import unwrap
from objects.services.events import note_version_event
from objects.services.monitoring import forget_accesses, note_access
from objects.services.publish import call_publisher
from objects.services.read import iterate_version
from objects.storage_classes import are_laid_out_alike
from s3protocol.checksums import ChecksumAlgorithm, parse_checksum

# Plans: see objects/sql/move.sql.
_MOVE_VERSION = "SELECT objects_move_version(%s, %s, %s, %s, %s, %s::jsonb)"


def move_version_to_storage_class(*, bucket_id: int, version_row: int, storage_class: str) -> bool:
    """Move a visible version to a class; say whether it did move: it may be gone, or in that class already.

    May be called again and again, and by several at once. Cost: the version is read and written once, unless both
    classes keep it alike. What a customer's key encrypts stays in its chunks, as nobody here can read it: the class is
    then a name alone. Raises BadDigest for bytes that are not those that were stored, NotEnoughFragments,
    InsufficientStorage, ServiceUnavailable; then nothing has changed.
    """
    found = look_up_row(bucket_id=bucket_id, version_row=version_row)
    if found is None or found.version is None:
        return False
    version = found.version
    if version.is_delete_marker or version.storage_class == storage_class:
        return False
    if may_stay(version, storage_class):
        return _exchange(bucket_id, version, storage_class, None)
    stored = store_anew(version, storage_class)
    with discarded_if_refused(stored):
        has_moved = _exchange(bucket_id, version, storage_class, stored)
    if not has_moved:
        discard_body(stored)
    return has_moved


def store_anew(version: VersionRecord, storage_class: str) -> StoredBody:
    """Write a version's bytes again as a class keeps them."""
    return store_body(
        _VersionBody(version),
        storage_class=storage_class,
        size_bytes_max=version.size_bytes,
        data_key=unwrap(version.encryption),
        content_type=version.content_type,
        headers=version.headers,
    )


def may_stay(version: VersionRecord, storage_class: str) -> bool:
    """Say whether a version's bytes may stay where they are when it goes to a class."""
    is_sealed = version.encryption is not None and version.encryption.method is Method.SSE_C
    return version.size_bytes == 0 or is_sealed or are_laid_out_alike(version.storage_class, storage_class)


def _exchange(bucket_id: int, version: VersionRecord, storage_class: str, stored: StoredBody | None) -> bool:
    with transaction.atomic():
        has_moved = exchange_extents(bucket_id, version, storage_class, stored)
        if has_moved:
            told = {"lifecycleEventData": {"transitionEventData": {"destinationStorageClass": storage_class}}}
            note_version_event(version.id, TRANSITION, told)
            if version.storage_class == INTELLIGENT_TIERING:
                forget_accesses(version.id)
            elif storage_class == INTELLIGENT_TIERING:
                note_access(version.id, now=datetime.now(UTC))  # its days begin here
    return has_moved


def exchange_extents(bucket_id: int, version: VersionRecord, storage_class: str, stored: StoredBody | None) -> bool:
    """Let a version be in a class, and in what was stored anew; False if it is not any more what was read."""
    chunks = None if stored is None else json.dumps(stored.chunk_rows())
    (has_moved,) = call_publisher(
        _MOVE_VERSION, [bucket_id, version.id, version.size_bytes, version.storage_class, storage_class, chunks]
    )
    return bool(has_moved)


class _VersionBody:
    """A version as a body to be stored, with the checksum that it had when it came."""

    def __init__(self, version: VersionRecord) -> None:
        self._version = version
        self.size_bytes: int | None = version.size_bytes
        is_whole = version.checksum_type == "FULL_OBJECT"
        self.checksum_algorithm = ChecksumAlgorithm(version.checksum_algorithm) if is_whole else None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield all of it."""
        yield from iterate_version(self._version, 0, self._version.size_bytes)

    def claimed_md5(self) -> bytes | None:
        """Return nothing: an ETag need not be one."""
        return None

    def claimed_checksum(self) -> bytes | None:
        """Return the checksum of the whole; none for one of checksums of parts."""
        if self.checksum_algorithm is None:
            return None
        return parse_checksum(self.checksum_algorithm, self._version.checksum)
