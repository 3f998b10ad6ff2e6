"""Multipart uploads: create, upload parts, complete, abort.

Write ordering, paragraph 3: parts are rows with extents of their own; completing re-parents the extents to the new version
in one transaction, whatever the object's size in bytes. Rivals are ordered by the upload's row: parts lock it shared,
completing and aborting exclusively.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise

from django.db import connection, transaction
from django.db.models.functions import Now

from buckets.services import lock_bucket_shared
from events.cause import CREATED_BY_COMPLETION
from objects.conditions import unquote_etag
from objects.encryption import StoredEncryption
from objects.models import MultipartUpload, ObjectVersion, Part
from objects.retention import ObjectLock
from objects.services.body import Body, StoredBody, discarded_if_refused, store_body
from objects.services.encryption import DataKey, shown_etag
from objects.services.publish import (
    NewVersion,
    PublishedVersion,
    WriteConditions,
    call_publisher,
    new_version_id,
    published,
)
from s3protocol import errors
from s3protocol.checksums import (
    ChecksumAlgorithm,
    ChecksumType,
    combine_crc,
    composite_checksum,
    encode_digest,
    parse_checksum,
)

PART_NUMBER_MAX = 10_000
PART_SIZE_BYTES_MAX = 5 << 30
PART_SIZE_BYTES_MIN = 5 << 20
OBJECT_SIZE_BYTES_MAX = 50 << 40

_COMBINABLE = (ChecksumAlgorithm.CRC32, ChecksumAlgorithm.CRC32C, ChecksumAlgorithm.CRC64NVME)

# Plans: see objects/sql/publish.sql.
_PUT_PART = "SELECT part_row, modified_at FROM objects_put_part(%s, %s, %s, %s, %s, %s, %s::jsonb)"
_PUBLISH = """
SELECT outcome, version_row, version_id, became_current_at FROM objects_publish_version(%s, %s, %s::jsonb, %s, %s)
"""

# Plan: a range of the index extents_of_part for each part.
_REPARENT_EXTENTS = """
UPDATE objects_extent e SET version_id = %s, part_id = NULL, offset_bytes = e.offset_bytes + p.base
  FROM unnest(%s::bigint[], %s::bigint[]) AS p(id, base)
 WHERE e.part_id = p.id
"""

# Plan: a range of the index extents_of_part for each part of the upload.
_QUESTION_CHUNKS = """
INSERT INTO chunks_garbage (chunk_id)
SELECT DISTINCT e.chunk_id FROM objects_part p JOIN objects_extent e ON e.part_id = p.id WHERE p.upload_id = %s
 ORDER BY e.chunk_id
ON CONFLICT (chunk_id) DO UPDATE SET asked_at = clock_timestamp()
"""

# Plan: likewise.
_DELETE_EXTENTS = "DELETE FROM objects_extent WHERE part_id IN (SELECT id FROM objects_part WHERE upload_id = %s)"


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """What UploadPart answers."""

    etag: str
    checksum_algorithm: str
    checksum: str


@dataclass(frozen=True, slots=True)
class PartClaim:
    """A part as the client lists it when completing: its number, its ETag without quotes, its checksum."""

    part_number: int
    etag: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class CompletionClaim:
    """What the client says of the whole object when completing."""

    checksum_algorithm: str | None = None
    checksum: str | None = None
    checksum_type: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CompletedUpload:
    """What CompleteMultipartUpload answers."""

    published: PublishedVersion
    etag: str
    checksum_algorithm: str
    checksum_type: str
    checksum: str
    size_bytes: int


def create_multipart_upload(
    *, bucket_id: int, key: str, version: NewVersion, initiator_id: str = ""
) -> MultipartUpload:
    """Begin an upload; `version` gives the object's owner, headers, metadata, grants and checksum method."""
    with transaction.atomic():
        lock_bucket_shared(bucket_id)
        return MultipartUpload.objects.create(
            upload_id=secrets.token_urlsafe(32),
            bucket_id=bucket_id,
            key=key,
            owner_id=version.owner_id,
            content_type=version.content_type,
            headers=version.headers,
            metadata=version.metadata,
            tags=version.tags,
            storage_class=version.storage_class,
            checksum_algorithm=version.checksum_algorithm,
            checksum_type=version.checksum_type,
            encryption={} if version.encryption is None else version.encryption.document(),
            **asdict(version.lock),
            acl=version.acl,
            initiator_id=initiator_id,
        )


def upload_part(*, upload: MultipartUpload, part_number: int, body: Body, data_key: DataKey | None) -> UploadedPart:
    """Store a part, in place of an earlier one of its number. Raises NoSuchUpload when the upload is over.

    `data_key` is the upload's. The part gets the checksum that the upload was created with, or the one that the client
    chose, or CRC64NVME.
    """
    if upload.checksum_algorithm and body.checksum_algorithm not in (None, upload.checksum_algorithm):
        raise _other_algorithm(upload.checksum_algorithm, str(body.checksum_algorithm))
    if upload.checksum_algorithm and body.checksum_algorithm is None:
        body.checksum_algorithm = ChecksumAlgorithm(upload.checksum_algorithm)
    stored = store_body(
        body,
        storage_class=upload.storage_class,
        size_bytes_max=PART_SIZE_BYTES_MAX,
        data_key=None if data_key is None else data_key.key,
        content_type=upload.content_type,
        headers=upload.headers,
    )
    etag = shown_etag(data_key, stored.md5.hex())
    publish_part(upload_row=upload.pk, part_number=part_number, stored=stored, etag=etag)
    return UploadedPart(etag, stored.checksum_algorithm.value, stored.checksum)


def _other_algorithm(expected: str, actual: str) -> errors.InvalidRequest:
    return errors.InvalidRequest(
        f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower() or 'null'}, "
        f"actual checksum Type: {actual.lower()}"
    )


def publish_part(*, upload_row: int, part_number: int, stored: StoredBody, etag: str) -> datetime:
    """Register a stored body as a part and return when. Raises NoSuchUpload, and then removes the stored bytes."""
    rows = stored.chunk_rows()
    with discarded_if_refused(stored):
        part_row, modified_at = call_publisher(
            _PUT_PART,
            [
                upload_row,
                part_number,
                stored.size_bytes,
                etag,
                stored.checksum_algorithm.value,
                stored.checksum,
                None if rows is None else json.dumps(rows),
            ],
            changed="part_row IS NOT NULL",
            version_id="NULL",
            size_bytes=stored.size_bytes,
        )
        if part_row is None:
            raise errors.NoSuchUpload
    assert isinstance(modified_at, datetime)
    return modified_at


def abort_multipart_upload(*, upload_row: int) -> None:
    """Drop an upload and its parts. Raises NoSuchUpload when it is over already."""
    with transaction.atomic():
        upload = MultipartUpload.objects.select_for_update().filter(pk=upload_row, completed_at=None).first()
        if upload is None:
            raise errors.NoSuchUpload
        drop_parts(upload.pk)
        MultipartUpload.objects.filter(pk=upload.pk).delete()


def drop_parts(upload_row: int) -> None:
    """Remove all parts of an upload and ask the collector about their chunks; the caller holds the upload's row."""
    with connection.cursor() as cursor:
        cursor.execute(_QUESTION_CHUNKS, [upload_row])
        cursor.execute(_DELETE_EXTENTS, [upload_row])
        cursor.execute("DELETE FROM objects_part WHERE upload_id = %s", [upload_row])


def complete_multipart_upload(
    *, upload_row: int, claims: Sequence[PartClaim], claim: CompletionClaim, conditions: WriteConditions
) -> CompletedUpload:
    """Publish the object that the listed parts make. Moves no bytes; repeating it answers the same.

    Raises MalformedXML for an empty list, InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest, BadDigest,
    NoSuchUpload, PreconditionFailed, NoSuchKey.
    """
    if not claims:
        raise errors.MalformedXML
    numbers = [part.part_number for part in claims]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise errors.InvalidPartOrder
    fingerprint = _fingerprint(claims)
    with transaction.atomic():
        upload = MultipartUpload.objects.select_for_update().filter(pk=upload_row).first()
        if upload is None:
            raise errors.NoSuchUpload
        if upload.completed_at is not None:
            return _repeat_answer(upload, fingerprint)
        parts = _claimed_parts(upload, claims)
        version = _version_of_parts(upload, parts, claim)
        result = published(
            call_publisher(
                _PUBLISH,
                [upload.bucket_id, upload.key, version.document(), conditions.if_none_match, conditions.if_match],
                size_bytes=version.size_bytes,
            ),
            conditions,
        )
        _reparent_extents(result.row_id, parts)
        drop_parts(upload.pk)
        upload.completed_parts = fingerprint
        upload.completed_version_id = result.row_id
        MultipartUpload.objects.filter(pk=upload.pk).update(
            completed_at=Now(), completed_parts=fingerprint, completed_version_id=result.row_id
        )
    return CompletedUpload(
        result, version.etag, version.checksum_algorithm, version.checksum_type, version.checksum, version.size_bytes
    )


def _fingerprint(claims: Sequence[PartClaim]) -> str:
    text = ",".join(f"{part.part_number}:{part.etag}" for part in claims)
    return hashlib.sha256(text.encode()).hexdigest()


def _repeat_answer(upload: MultipartUpload, fingerprint: str) -> CompletedUpload:
    """Answer a completion that was carried out before. Raises NoSuchUpload when it is not the same one."""
    if upload.completed_version_id is None or upload.completed_parts != fingerprint:
        raise errors.NoSuchUpload
    version = ObjectVersion.objects.filter(pk=upload.completed_version_id, deleted_at=None).first()
    if version is None:
        raise errors.NoSuchUpload
    return CompletedUpload(
        PublishedVersion(version.pk, version.version_id, version.became_current_at),
        version.etag,
        version.checksum_algorithm,
        version.checksum_type,
        version.checksum,
        version.size_bytes,
    )


def _claimed_parts(upload: MultipartUpload, claims: Sequence[PartClaim]) -> list[Part]:
    """Return the parts that the client lists, each checked against what was uploaded."""
    uploaded = {part.part_number: part for part in Part.objects.filter(upload_id=upload.pk)}
    parts = []
    for claim in claims:
        part = uploaded.get(claim.part_number)
        if part is None or unquote_etag(claim.etag) != part.etag:
            raise errors.InvalidPart(UploadId=upload.upload_id, PartNumber=str(claim.part_number), ETag=claim.etag)
        if claim.checksum is not None and claim.checksum != part.checksum:
            raise errors.InvalidPart(UploadId=upload.upload_id, PartNumber=str(claim.part_number), ETag=claim.etag)
        parts.append(part)
    for part in parts[:-1]:
        if part.size_bytes < PART_SIZE_BYTES_MIN:
            raise errors.EntityTooSmall(
                ProposedSize=str(part.size_bytes),
                MinSizeAllowed=str(PART_SIZE_BYTES_MIN),
                PartNumber=str(part.part_number),
                ETag=part.etag,
            )
    return parts


def _version_of_parts(upload: MultipartUpload, parts: Sequence[Part], claim: CompletionClaim) -> NewVersion:
    size_bytes = sum(part.size_bytes for part in parts)
    if claim.size_bytes is not None and claim.size_bytes != size_bytes:
        raise errors.InvalidRequest(
            f"The provided 'x-amz-mp-object-size' header value {claim.size_bytes} does not match what was computed: "
            f"{size_bytes}"
        )
    if size_bytes > OBJECT_SIZE_BYTES_MAX:
        raise errors.EntityTooLarge(ProposedSize=str(size_bytes), MaxSizeAllowed=str(OBJECT_SIZE_BYTES_MAX))
    algorithm, checksum_type, checksum = _checksum_of_parts(upload, parts, claim)
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    return NewVersion(
        owner_id=upload.owner_id,
        size_bytes=size_bytes,
        etag=etag,
        content_type=upload.content_type,
        headers=upload.headers,
        metadata=upload.metadata,
        tags=upload.tags,
        storage_class=upload.storage_class,
        encryption=StoredEncryption.from_document(upload.encryption),
        lock=ObjectLock(upload.lock_mode, upload.retain_until, upload.legal_hold),
        acl=upload.acl,
        checksum_algorithm=algorithm,
        checksum_type=checksum_type,
        checksum=checksum,
        part_count=len(parts),
        parts=[[part.part_number, part.size_bytes, part.checksum] for part in parts],
        version_id=new_version_id(),
        event_name=CREATED_BY_COMPLETION,
    )


def _checksum_of_parts(upload: MultipartUpload, parts: Sequence[Part], claim: CompletionClaim) -> tuple[str, str, str]:
    """Return algorithm, type and value of the object's checksum, all empty when the parts do not agree on one."""
    if claim.checksum_type and upload.checksum_type and claim.checksum_type != upload.checksum_type:
        raise errors.InvalidRequest(
            f"The upload was created using the {upload.checksum_type} checksum mode. "
            f"The complete request must use the same checksum mode."
        )
    algorithms = {part.checksum_algorithm for part in parts}
    name = upload.checksum_algorithm or (algorithms.pop() if len(algorithms) == 1 else "")
    if claim.checksum_algorithm not in (None, name):
        raise _other_algorithm(name, str(claim.checksum_algorithm))
    if not name or any(not part.checksum or part.checksum_algorithm != name for part in parts):
        return "", "", ""
    algorithm = ChecksumAlgorithm(name)
    checksum_type = upload.checksum_type or _default_type(algorithm)
    digests = [parse_checksum(algorithm, part.checksum) for part in parts]
    if checksum_type == ChecksumType.COMPOSITE:
        checksum = composite_checksum(algorithm, digests)
    elif algorithm in _COMBINABLE:
        sizes = [part.size_bytes for part in parts]
        checksum = encode_digest(combine_crc(algorithm, zip(digests, sizes, strict=True)))
    else:
        return "", "", ""
    # Clients send a composite checksum with or without its count of parts.
    if claim.checksum_algorithm is not None and claim.checksum not in (checksum, checksum.partition("-")[0]):
        raise errors.BadDigest(f"The {name} you specified did not match the calculated checksum.")
    return name, checksum_type, checksum


def _default_type(algorithm: ChecksumAlgorithm) -> ChecksumType:
    """Return the type of a multipart checksum that nobody chose, as S3 has it: composite but for CRC64NVME."""
    return ChecksumType.FULL_OBJECT if algorithm == ChecksumAlgorithm.CRC64NVME else ChecksumType.COMPOSITE


def _reparent_extents(version_row: int, parts: Sequence[Part]) -> None:
    bases, base = [], 0
    for part in parts:
        bases.append(base)
        base += part.size_bytes
    with connection.cursor() as cursor:
        cursor.execute(_REPARENT_EXTENTS, [version_row, [part.pk for part in parts], bases])
