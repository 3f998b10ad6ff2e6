"""Buckets and versions in the database, as operations leave them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from accesscontrol.models import Account
from buckets.models import Bucket
from chunks.records import WrittenChunk

OWNER_ID = "000000000001"


def add_bucket(name: str, *, history_seconds: int = 0) -> int:
    owner, _ = Account.objects.get_or_create(id=OWNER_ID, defaults={"canonical_id": "c" * 64, "name": "owner"})
    return Bucket.objects.create(name=name, owner=owner, history_seconds=history_seconds).pk


def put_version(
    bucket_id: int, key: str, chunks: Sequence[WrittenChunk], *, share: bool = False, segment_id: UUID | None = None
) -> int:
    """Publish a version of the chunks; `share`: their rows are there already. Return its row."""
    rows, offset = [], 0
    for chunk in chunks:
        rows.append(
            {
                "id": str(chunk.id),
                "size_bytes": chunk.size_bytes,
                "scheme": chunk.scheme,
                "node_ids": list(chunk.node_ids),
                "checksum": chunk.checksum,
                "storage_class": chunk.storage_class,
                "segment_id": None if chunk.segment_id is None else str(chunk.segment_id),
                "segment_offset": chunk.segment_offset,
                "offset_bytes": offset,
                "faults": [],
                **({} if segment_id is None else {"segment_id": str(segment_id), "segment_offset": 0}),
            }
        )
        offset += chunk.size_bytes
    version: dict[str, Any] = {"owner_id": OWNER_ID, "size_bytes": offset, "etag": "0" * 32, "version_id": "null"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT outcome, version_row FROM objects_put_version(%s, %s, %s, %s, NULL, NULL)",
            [bucket_id, key, json.dumps(version), json.dumps(rows) if rows and not share else None],
        )
        outcome, version_row = cursor.fetchone()
        assert outcome == ""
        for row in rows if share else []:
            cursor.execute(
                "INSERT INTO objects_extent (version_id, offset_bytes, size_bytes, chunk_id) VALUES (%s, %s, %s, %s)",
                [version_row, row["offset_bytes"], row["size_bytes"], row["id"]],
            )
    return int(version_row)
