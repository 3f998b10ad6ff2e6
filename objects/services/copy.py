"""CopyObject and UploadPartCopy: new versions and parts that share the chunks of another version. No byte moves.

But for encryption and storage classes: where source and copy may not have one data key
(`objects.encryption.may_share_chunks`) or their classes keep bytes differently, the bytes are read, decrypted, encrypted
and written again, in bounded memory like those of a PUT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from chunks.errors import NotEnoughFragments
from objects.encryption import EncryptionChoice, StoredEncryption, may_share_chunks
from objects.models import MultipartUpload, ObjectVersion
from objects.ranges import ByteRange
from objects.selectors.annotations import size_of_annotations
from objects.selectors.lookup import VersionRecord
from objects.services.annotations import give_annotations, stage_annotations
from objects.services.body import store_body
from objects.services.encryption import DataKey, OpenedVersion, new_data_key, shown_etag, wrap
from objects.services.multipart import PART_SIZE_BYTES_MAX, publish_part
from objects.services.publish import (
    NewVersion,
    PublishedVersion,
    WriteConditions,
    call_publisher,
    publish_stored_body,
    published,
)
from objects.services.read import iterate_version
from objects.storage_classes import are_laid_out_alike
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
    *,
    bucket_id: int,
    key: str,
    source: OpenedVersion,
    version: NewVersion,
    conditions: WriteConditions,
    encryption: EncryptionChoice | None,
    with_annotations: bool = False,
) -> tuple[PublishedVersion, NewVersion]:
    """Publish `version`, whose bytes are those of `source`, encrypted as chosen. One round trip where chunks are shared.

    `version` gives all but encryption and, where the encryption needs another one, ETag. Raises NoSuchKey when the source
    is erased meanwhile, PreconditionFailed, NoSuchBucket, KMSNotFoundException, KMSDisabledException.
    """
    if with_annotations:
        version = replace(version, annotation_bytes=size_of_annotations(source.version.id))
    is_alike = are_laid_out_alike(source.version.storage_class, version.storage_class)
    if is_alike and may_share_chunks(source.version.encryption, source.customer_key, encryption):
        data_key = None
        if source.data_key is not None and encryption is not None:
            data_key = wrap(source.data_key, encryption)
        version = _encrypted(version, data_key, source.version.encryption, source.version.etag)
        with _publishing(source, with_annotations=with_annotations, has_same_key=True, key=None) as annotate:
            shared = share_version(
                bucket_id=bucket_id, key=key, source=source.version, version=version, conditions=conditions
            )
            annotate(shared)
        return shared, version
    data_key = new_data_key(encryption)
    body = _RangeBody(source, ByteRange(0, version.size_bytes, version.size_bytes))
    stored = store_body(
        body,
        storage_class=version.storage_class,
        size_bytes_max=version.size_bytes,
        data_key=None if data_key is None else data_key.key,
        content_type=version.content_type,
        headers=version.headers,
    )
    etag = source.version.etag if "-" in source.version.etag else stored.md5.hex()
    version = _encrypted(version, data_key, None, etag)
    target_key = None if data_key is None else data_key.key
    with _publishing(source, with_annotations=with_annotations, has_same_key=False, key=target_key) as annotate:
        written = publish_stored_body(
            bucket_id=bucket_id, key=key, version=version, stored=stored, conditions=conditions
        )
        annotate(written)
    return written, version


@contextmanager
def _publishing(
    source: OpenedVersion, *, with_annotations: bool, has_same_key: bool, key: bytes | None
) -> Iterator[Callable[[PublishedVersion], None]]:
    """Yield what gives a version that is published within the annotations of its source, in the same transaction."""
    if not with_annotations:
        yield lambda _: None
        return
    if source.version.encryption is None and key is None:
        has_same_key = True
    with transaction.atomic():
        staged = stage_annotations(source=source.version, has_same_key=has_same_key, target_key=key)
        yield lambda published: give_annotations(staged, version_row=published.row_id)


def _encrypted(version: NewVersion, data_key: DataKey | None, before: StoredEncryption | None, etag: str) -> NewVersion:
    """Fill in encryption and ETag; an ETag that tells nothing already stays."""
    is_concealed = before is not None and before.hides_content
    return replace(
        version,
        etag=etag if is_concealed else shown_etag(data_key, etag),
        encryption=None if data_key is None else data_key.stored,
    )


def _iterate_source(source: OpenedVersion, part: ByteRange) -> Iterator[bytes]:
    """Yield a range of a version. NoSuchKey when it was erased meanwhile, and its fragments with it."""
    try:
        yield from iterate_version(source.version, part.start, part.length, data_key=source.data_key)
    except NotEnoughFragments:
        if not ObjectVersion.objects.filter(pk=source.version.id).exists():
            raise errors.NoSuchKey(Key=source.version.key) from None
        raise


class _RangeBody:
    """A range of a version as a body to be stored."""

    def __init__(self, source: OpenedVersion, part: ByteRange, algorithm: str = "") -> None:
        self._source = source
        self._part = part
        self.size_bytes: int | None = part.length
        self.checksum_algorithm = ChecksumAlgorithm(algorithm) if algorithm else None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the range."""
        yield from _iterate_source(self._source, self._part)

    def claimed_md5(self) -> bytes | None:
        """Return nothing: blocks and fragments have been checked."""
        return None

    def claimed_checksum(self) -> bytes | None:
        """Return nothing, likewise."""
        return None


def share_version(
    *, bucket_id: int, key: str, source: VersionRecord, version: NewVersion, conditions: WriteConditions
) -> PublishedVersion:
    """Publish `version`, whose chunks are those of `source`. One round trip.

    Raises NoSuchKey when the source is erased meanwhile, PreconditionFailed, NoSuchBucket.
    """
    return published(
        call_publisher(
            _COPY_VERSION,
            [bucket_id, key, version.document(), source.id, conditions.if_none_match, conditions.if_match],
            size_bytes=version.size_bytes,
        ),
        conditions,
    )


def checksum_range(source: OpenedVersion, algorithm: ChecksumAlgorithm, part: ByteRange) -> str:
    """Read a range of a version to compute a checksum that it does not have yet. Cost: the bytes of the range."""
    checksum = new_checksum(algorithm)
    for piece in _iterate_source(source, part):
        checksum.update(piece)
    return encode_digest(checksum.digest())


def upload_part_copy(
    *, upload: MultipartUpload, part_number: int, source: OpenedVersion, part: ByteRange, data_key: DataKey | None
) -> CopiedPart:
    """Make a part of a range of another version. One round trip, unless the upload wants a checksum of the part.

    `data_key` is the upload's: where it or the source's is not None, the bytes are encrypted anew. Raises NoSuchUpload,
    NoSuchKey.
    """
    is_alike = are_laid_out_alike(source.version.storage_class, upload.storage_class)
    if is_alike and source.data_key is None and data_key is None:
        return _share_part(upload.pk, part_number, source, part, upload.checksum_algorithm)
    stored = store_body(
        _RangeBody(source, part, upload.checksum_algorithm),
        storage_class=upload.storage_class,
        size_bytes_max=PART_SIZE_BYTES_MAX,
        data_key=None if data_key is None else data_key.key,
        content_type=upload.content_type,
        headers=upload.headers,
    )
    etag = shown_etag(data_key, stored.md5.hex())
    modified_at = publish_part(upload_row=upload.pk, part_number=part_number, stored=stored, etag=etag)
    return CopiedPart(etag, modified_at, stored.checksum if upload.checksum_algorithm else "")


def _share_part(
    upload_row: int, part_number: int, opened: OpenedVersion, part: ByteRange, checksum_algorithm: str
) -> CopiedPart:
    """Make a part that shares the chunks of a version, neither of them encrypted.

    The part's ETag is the source's where the part is the whole of it; for a true range it is a digest of what the range
    is of, as the MD5 of its bytes would mean reading them.
    """
    source = opened.version
    etag = source.etag
    if part.length != source.size_bytes or "-" in etag:
        naming = f"{source.etag}:{source.id}:{part.start}:{part.length}"
        etag = hashlib.md5(naming.encode(), usedforsecurity=False).hexdigest()
    checksum = ""
    if checksum_algorithm:
        checksum = checksum_range(opened, ChecksumAlgorithm(checksum_algorithm), part)
    part_row, modified_at = call_publisher(
        _COPY_PART,
        [upload_row, part_number, part.length, etag, checksum_algorithm, checksum, source.id, part.start],
        changed="part_row IS NOT NULL",
        version_id="NULL",
        size_bytes=part.length,
    )
    if part_row is None:
        raise errors.NoSuchUpload
    return CopiedPart(etag, modified_at, checksum)
