"""PutObject."""

from __future__ import annotations

from dataclasses import replace

from objects.encryption import EncryptionChoice
from objects.services.body import Body, discard_body, store_body
from objects.services.encryption import new_data_key, shown_etag
from objects.services.publish import (
    NewVersion,
    PublishedVersion,
    WriteConditions,
    publish_stored_body,
)
from s3protocol import errors

PUT_SIZE_BYTES_MAX = 5 << 30


def put_object(
    *,
    bucket_id: int,
    key: str,
    body: Body,
    version: NewVersion,
    conditions: WriteConditions,
    encryption: EncryptionChoice | None,
) -> tuple[PublishedVersion, NewVersion]:
    """Store a body and publish it as the key's current version; `version` gives all but size, digests and encryption.

    A replica brings its version id, its ETag and its parts along. Raises InvalidRequest where there is such a version,
    InvalidArgument for parts of another size.

    Raises EntityTooLarge over PUT_SIZE_BYTES_MAX, BadDigest, PreconditionFailed, NoSuchKey, NoSuchBucket, and for the
    encryption KMSNotFoundException, KMSDisabledException.
    """
    data_key = new_data_key(encryption)
    stored = store_body(
        body,
        storage_class=version.storage_class,
        size_bytes_max=PUT_SIZE_BYTES_MAX,
        data_key=None if data_key is None else data_key.key,
        content_type=version.content_type,
        headers=version.headers,
    )
    if version.parts is not None and sum(size_bytes for _, size_bytes, _ in version.parts) != stored.size_bytes:
        discard_body(stored)
        raise errors.InvalidArgument("The parts of the replica are not together as large as it is.")
    version = replace(
        version,
        size_bytes=stored.size_bytes,
        etag=version.etag or shown_etag(data_key, stored.md5.hex()),
        checksum_algorithm=stored.checksum_algorithm.value,
        checksum_type="FULL_OBJECT",
        checksum=stored.checksum,
        encryption=None if data_key is None else data_key.stored,
    )
    published = publish_stored_body(bucket_id=bucket_id, key=key, version=version, stored=stored, conditions=conditions)
    return published, version
