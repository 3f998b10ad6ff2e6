"""Append to an object (PutObject with a write offset). No byte of what is there moves.

Write ordering: paragraphs 1 and 2. The fragments of what is appended come first; one function then lets the current
version grow in place, or publishes a new one that shares the chunks of the one before where versions are kept. It does so
only if the object still is what the writer saw, so of several who append at one offset, one does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from events.cause import CREATED_BY_PUT, cause_document
from objects.customer_keys import CustomerKey
from objects.selectors.lookup import VersionRecord
from objects.services.archive import require_unarchived
from objects.services.body import Body, StoredBody, discarded_if_refused, store_body
from objects.services.encryption import DataKey, shown_etag, unwrap
from objects.services.publish import PublishedVersion, WriteConditions, call_publisher, new_version_id, published
from objects.services.put import PUT_SIZE_BYTES_MAX
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm, combine_crc, encode_digest, parse_checksum

# Plans: see objects/sql/append.sql.
_APPEND_VERSION = """
SELECT outcome, version_row, version_id, became_current_at
  FROM objects_append_version(%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s)
"""

_COMBINABLE = frozenset({ChecksumAlgorithm.CRC32, ChecksumAlgorithm.CRC32C, ChecksumAlgorithm.CRC64NVME})


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append made of the object; the checksum is of all of it, empty where that can't be told without reading."""

    published: PublishedVersion
    size_bytes: int
    etag: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str


def append_object(
    *,
    bucket_id: int,
    base: VersionRecord,
    offset_bytes: int,
    body: Body,
    customer_key: CustomerKey | None,
    conditions: WriteConditions,
) -> Appended:
    """Append a body to the current version of a key, which was found to be `base`. One round trip beside the body.

    All else about the object stays as it is. Raises InvalidWriteOffset unless the offset is the object's size,
    ConditionalRequestConflict when another of that size took its place meanwhile, InvalidRequest for a checksum of
    another algorithm than the object's, InvalidObjectState for an archive, and as put_object does.
    """
    if offset_bytes != base.size_bytes:
        raise errors.InvalidWriteOffset
    require_unarchived(base)
    algorithm = _combined_algorithm(base, body)
    data_key = unwrap(base.encryption, customer_key)
    stored = store_body(body, storage_class=base.storage_class, size_bytes_max=PUT_SIZE_BYTES_MAX, data_key=data_key)
    changes = _changes(base, stored, algorithm, data_key)
    with discarded_if_refused(stored):
        row = call_publisher(
            _APPEND_VERSION,
            [
                bucket_id,
                base.key,
                base.id,
                base.etag,
                offset_bytes,
                _columns(changes),
                _chunk_rows(stored, offset_bytes),
                conditions.if_none_match,
                conditions.if_match,
            ],
            size_bytes=changes["size_bytes"],
        )
        return Appended(published(row, conditions), **changes)


def _combined_algorithm(base: VersionRecord, body: Any) -> ChecksumAlgorithm | None:
    """Return the algorithm whose checksum of the whole follows from those of both pieces; have the body use it."""
    if base.checksum_type != "FULL_OBJECT" or base.checksum_algorithm not in _COMBINABLE:
        return None
    algorithm = ChecksumAlgorithm(base.checksum_algorithm)
    if body.checksum_algorithm is None:
        body.checksum_algorithm = algorithm
    elif body.checksum_algorithm is not algorithm:
        raise errors.InvalidRequest(f"The checksum of what is appended must be {algorithm}, as that of the object is.")
    return algorithm


def _changes(
    base: VersionRecord, stored: StoredBody, algorithm: ChecksumAlgorithm | None, data_key: bytes | None
) -> dict[str, Any]:
    """Return the columns that the append changes.

    The ETag is a digest of what the object was and of what came to it: the MD5 of all would mean reading it.
    """
    digest, _, count = base.etag.partition("-")
    came = stored.md5.hex()
    if data_key is not None and base.encryption is not None:
        came = shown_etag(DataKey(data_key, base.encryption), came)
    etag = hashlib.md5(f"{digest}:{base.size_bytes}:{came}".encode(), usedforsecurity=False).hexdigest()
    changes: dict[str, Any] = {
        "size_bytes": base.size_bytes + stored.size_bytes,
        "etag": f"{etag}-{int(count or 1) + 1}",
        "checksum_algorithm": "",
        "checksum_type": "",
        "checksum": "",
    }
    if algorithm is not None:
        pieces = (
            (parse_checksum(algorithm, base.checksum), base.size_bytes),
            (stored.checksum_digest, stored.size_bytes),
        )
        changes["checksum_algorithm"] = algorithm.value
        changes["checksum_type"] = "FULL_OBJECT"
        changes["checksum"] = encode_digest(combine_crc(algorithm, pieces))
    return changes


def _columns(changes: dict[str, Any]) -> str:
    """Render the columns for the appending function."""
    others = {
        "part_count": None,
        "parts": None,
        "version_id": new_version_id(),
        "cause": cause_document(CREATED_BY_PUT),
    }
    return json.dumps({**changes, **others})


def _chunk_rows(stored: StoredBody, offset_bytes: int) -> str | None:
    rows = stored.chunk_rows()
    if rows is None:
        return None
    return json.dumps([{**row, "offset_bytes": row["offset_bytes"] + offset_bytes} for row in rows])
