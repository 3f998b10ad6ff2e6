"""Put, read, delete and copy annotations of versions.

They are metadata and live in the database beside their version: attached in one statement, gone with the version, copied
with it. A version that is encrypted has its data key encrypt them, too.
"""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, datetime

from django.db import connection, transaction

from objects.annotations import COUNT_MAX, NONCE_BYTES, open_payload, seal_payload
from objects.encryption import Method
from objects.models import Annotation, ObjectVersion
from objects.selectors.annotations import AnnotationContent, AnnotationRecord, find_annotation
from objects.selectors.lookup import VersionRecord
from objects.services.encryption import unwrap
from objects.services.publish import call_publisher, raise_outcome
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm, new_checksum

# Plans: see objects/sql/annotations.sql.
_PUT_ANNOTATION = "SELECT objects_put_annotation(%s, %s, %s::jsonb, %s, %s) AS outcome"
# Plan: the unique index one_annotation_per_name.
_STAGE_ANNOTATIONS = """
INSERT INTO objects_annotation
       (version_id, name, size_bytes, etag, checksum_algorithm, checksum, is_sealed, payload, modified_at)
SELECT %s, name, size_bytes, etag, checksum_algorithm, checksum, is_sealed, payload, modified_at
  FROM objects_annotation WHERE version_id = %s
"""
# Plan: the same index; then the primary key of versions.
_GIVE_ANNOTATIONS = """
WITH given AS (UPDATE objects_annotation SET version_id = %s WHERE version_id = %s RETURNING version_id, size_bytes)
SELECT objects_count_annotations(v.bucket_id, (SELECT sum(size_bytes)::bigint FROM given))
  FROM objects_objectversion v WHERE v.id = (SELECT version_id FROM given LIMIT 1)
"""

# Plan: primary key, then the unique index one_annotation_per_name.
_DELETE_ANNOTATION = """
WITH gone AS (
    DELETE FROM objects_annotation a USING objects_objectversion v
     WHERE v.id = a.version_id AND a.version_id = %s AND a.name = %s AND NOT objects_is_locked(v, %s)
    RETURNING v.bucket_id, a.size_bytes)
SELECT objects_count_annotations(bucket_id, -size_bytes) FROM gone
"""


def put_annotation(
    *,
    version: VersionRecord,
    name: str,
    payload: bytes,
    algorithm: ChecksumAlgorithm,
    if_match: str | None,
) -> AnnotationRecord:
    """Attach a payload to a version, in the place of one of the same name. One round trip.

    `if_match` is an ETag of the object without quotes, or `*`. Raises InvalidRequest for a version that a customer's key
    encrypts, AccessDenied when a locked version would lose an annotation, AnnotationLimitExceeded, PreconditionFailed,
    NoSuchKey when the version is gone.
    """
    data_key = annotation_key(version)
    checksum = new_checksum(algorithm)
    checksum.update(payload)
    record = AnnotationRecord(
        name=name,
        size_bytes=len(payload),
        etag=hashlib.md5(payload, usedforsecurity=False).hexdigest(),
        checksum_algorithm=algorithm.value,
        checksum=checksum.base64(),
        modified_at=datetime.now(UTC),
    )
    stored = payload
    if data_key is not None:
        stored = seal_payload(data_key, name, payload, nonce=os.urandom(NONCE_BYTES))
    columns = {
        "name": name,
        "size_bytes": record.size_bytes,
        "etag": record.etag,
        "checksum_algorithm": record.checksum_algorithm,
        "checksum": record.checksum,
        "is_sealed": data_key is not None,
    }
    (outcome,) = call_publisher(
        _PUT_ANNOTATION, [version.id, if_match, json.dumps(columns), stored, COUNT_MAX], version_id="NULL"
    )
    raise_outcome(outcome)
    return record


def annotation_key(version: VersionRecord) -> bytes | None:
    """Return what encrypts a version's annotations; None where it is not encrypted. Raises InvalidRequest for SSE-C."""
    if version.encryption is not None and version.encryption.method is Method.SSE_C:
        raise errors.InvalidRequest("Objects encrypted with SSE-C cannot have annotations.")
    return unwrap(version.encryption)


def read_payload(version: VersionRecord, content: AnnotationContent) -> bytes:
    """Return an annotation's payload in the clear."""
    if not content.is_sealed:
        return content.payload
    data_key = annotation_key(version)
    assert data_key is not None, "a sealed annotation belongs to an encrypted version"
    return open_payload(data_key, content.record.name, content.payload)


@transaction.atomic
def delete_annotation(*, version: VersionRecord, name: str, if_match: str | None, is_bypassing: bool) -> None:
    """Take an annotation away for good; one that is not there is gone already. Two statements.

    Raises PreconditionFailed, AccessDenied for one of a version under object lock, NoSuchKey when the version is gone.
    """
    locked = ObjectVersion.objects.select_for_update(no_key=True).filter(pk=version.id, deleted_at=None)
    etag = locked.values_list("etag", flat=True).first()
    if etag is None:
        raise errors.NoSuchKey(Key=version.key)
    if if_match not in (None, "*", etag):
        raise errors.PreconditionFailed(Condition="x-amz-object-if-match")
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_ANNOTATION, [version.id, name, is_bypassing])
        is_gone = bool(cursor.rowcount)
    if not is_gone and find_annotation(version.id, name) is not None:
        raise errors.AccessDenied("Access Denied because object protected by object lock.")


def stage_annotations(*, source: VersionRecord, has_same_key: bool, target_key: bytes | None) -> int:
    """Copy the annotations of a version for one that is about to be published; return the number they are kept under.

    They are sealed anew unless both have one data key, or none. To be called in the transaction that publishes, and before:
    what is published may replace its source, and the source's annotations go with it. Holds one payload at a time.
    """
    with connection.cursor() as cursor:
        # No version has a negative number, and no other copy this one.
        cursor.execute("SELECT -nextval(pg_get_serial_sequence('objects_annotation', 'id'))")
        staged = int(cursor.fetchone()[0])
        if has_same_key:
            cursor.execute(_STAGE_ANNOTATIONS, [staged, source.id])
            return staged
    names = Annotation.objects.filter(version_id=source.id).order_by("name").values_list("name", flat=True)
    for name in list(names):
        content = find_annotation(source.id, name)
        if content is None:
            continue
        payload = read_payload(source, content)
        if target_key is not None:
            payload = seal_payload(target_key, name, payload, nonce=os.urandom(NONCE_BYTES))
        told = content.record
        Annotation.objects.create(
            version_id=staged,
            name=name,
            size_bytes=told.size_bytes,
            etag=told.etag,
            checksum_algorithm=told.checksum_algorithm,
            checksum=told.checksum,
            is_sealed=target_key is not None,
            payload=payload,
            modified_at=told.modified_at,
        )
    return staged


def give_annotations(staged: int, *, version_row: int) -> None:
    """Give a version that has been published what was staged for it, and count it."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_ANNOTATIONS, [version_row, staged])
