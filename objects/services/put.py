"""PutObject."""

from __future__ import annotations

from dataclasses import replace

from objects.services.body import Body, store_body
from objects.services.publish import (
    NewVersion,
    PublishedVersion,
    WriteConditions,
    publish_stored_body,
)

PUT_SIZE_BYTES_MAX = 5 << 30


def put_object(
    *, bucket_id: int, key: str, body: Body, version: NewVersion, conditions: WriteConditions
) -> tuple[PublishedVersion, NewVersion]:
    """Store a body and publish it as the key's current version; `version` gives all but size and digests.

    Raises EntityTooLarge over PUT_SIZE_BYTES_MAX, BadDigest, PreconditionFailed, NoSuchKey, NoSuchBucket.
    """
    stored = store_body(body, storage_class=version.storage_class, size_bytes_max=PUT_SIZE_BYTES_MAX)
    version = replace(
        version,
        size_bytes=stored.size_bytes,
        etag=stored.md5.hex(),
        checksum_algorithm=stored.checksum_algorithm.value,
        checksum_type="FULL_OBJECT",
        checksum=stored.checksum,
    )
    published = publish_stored_body(bucket_id=bucket_id, key=key, version=version, stored=stored, conditions=conditions)
    return published, version
