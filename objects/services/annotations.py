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
_COPY_ANNOTATIONS = "SELECT objects_copy_annotations(%s, %s)"

# Plan: primary key, then the unique index one_annotation_per_name.
_DELETE_ANNOTATION = """
WITH gone AS (
    DELETE FROM objects_annotation a USING objects_objectversion v
     WHERE v.id = a.version_id AND a.version_id = %s AND a.name = %s AND NOT objects_is_locked(v, %s)
    RETURNING v.bucket_id, a.size_bytes)
SELECT objects_count_annotations(bucket_id, -size_bytes) FROM gone
"""
_COUNT_ANNOTATIONS = """
SELECT objects_count_annotations(v.bucket_id, %s) FROM objects_objectversion v WHERE v.id = %s
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


def copy_annotations(*, source: VersionRecord, target_row: int, has_same_key: bool, target_key: bytes | None) -> None:
    """Give a new version the annotations of another; those are sealed anew unless both have one data key, or none.

    To be called in the transaction that publishes the new version. Holds one payload at a time.
    """
    if has_same_key:
        with connection.cursor() as cursor:
            cursor.execute(_COPY_ANNOTATIONS, [source.id, target_row])
        return
    names = Annotation.objects.filter(version_id=source.id).order_by("name").values_list("name", flat=True)
    size_bytes = 0
    for name in list(names):
        content = find_annotation(source.id, name)
        if content is None:
            continue
        payload = read_payload(source, content)
        if target_key is not None:
            payload = seal_payload(target_key, name, payload, nonce=os.urandom(NONCE_BYTES))
        told = content.record
        Annotation.objects.create(
            version_id=target_row,
            name=name,
            size_bytes=told.size_bytes,
            etag=told.etag,
            checksum_algorithm=told.checksum_algorithm,
            checksum=told.checksum,
            is_sealed=target_key is not None,
            payload=payload,
            modified_at=told.modified_at,
        )
        size_bytes += told.size_bytes
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_ANNOTATIONS, [size_bytes, target_row])
