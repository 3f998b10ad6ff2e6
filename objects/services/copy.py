"""CopyObject and UploadPartCopy: new versions and parts that share the chunks of another version. No byte moves."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import DataError

from objects.ranges import ByteRange
from objects.selectors.lookup import VersionRecord
from objects.services.publish import (
    NewVersion,
    PublishedVersion,
    WriteConditions,
    call_publisher,
    published,
)
from objects.services.read import iterate_version
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm, encode_digest, new_checksum

# Plans: see objects/sql/publish.sql.
_COPY_VERSION = """
SELECT outcome, version_row, version_id, became_current_at
  FROM objects_copy_version(%s, %s, %s::jsonb, %s, %s, %s)
"""
_COPY_PART = "SELECT part_row, modified_at FROM objects_copy_part(%s, %s, %s, %s, %s, %s, %s, %s)"


@dataclass(frozen=True, slots=True)
class CopiedPart:
    """What UploadPartCopy answers."""

    etag: str
    modified_at: datetime
    checksum: str


def copy_object(
    *, bucket_id: int, key: str, source: VersionRecord, version: NewVersion, conditions: WriteConditions
) -> PublishedVersion:
    """Publish `version`, whose bytes are those of `source`. One round trip.

    Raises NoSuchKey when the source is erased meanwhile, PreconditionFailed, NoSuchBucket.
    """
    return published(
        call_publisher(
            _COPY_VERSION,
            [bucket_id, key, version.document(), source.id, conditions.if_none_match, conditions.if_match],
        )
    )


def checksum_range(source: VersionRecord, algorithm: ChecksumAlgorithm, part: ByteRange) -> str:
    """Read a range of a version to compute a checksum that it does not have yet. Cost: the bytes of the range."""
    checksum = new_checksum(algorithm)
    for piece in iterate_version(source, part.start, part.length):
        checksum.update(piece)
    return encode_digest(checksum.digest())


def upload_part_copy(
    *, upload_row: int, part_number: int, source: VersionRecord, part: ByteRange, checksum_algorithm: str
) -> CopiedPart:
    """Make a part of a range of another version. One round trip, unless the upload wants a checksum of the part.

    The part's ETag is the source's where the part is the whole of it; for a true range it is a digest of what the range
    is of, as the MD5 of its bytes would mean reading them. Raises NoSuchUpload, NoSuchKey.
    """
    etag = source.etag
    if part.length != source.size_bytes or "-" in etag:
        naming = f"{source.etag}:{source.id}:{part.start}:{part.length}"
        etag = hashlib.md5(naming.encode(), usedforsecurity=False).hexdigest()
    checksum = ""
    if checksum_algorithm:
        checksum = checksum_range(source, ChecksumAlgorithm(checksum_algorithm), part)
    try:
        part_row, modified_at = call_publisher(
            _COPY_PART,
            [upload_row, part_number, part.length, etag, checksum_algorithm, checksum, source.id, part.start],
        )
    except DataError:
        raise errors.NoSuchKey from None
    if part_row is None:
        raise errors.NoSuchUpload
    return CopiedPart(etag, modified_at, checksum)
