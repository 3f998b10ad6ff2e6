"""Read a bucket's versions for a report: page by page, in bounded memory, not one moment of the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from buckets.inventory import Inventory
from buckets.lifecycle import Rule, over_at
from objects.encryption import StoredEncryption
from objects.inventory import TIER_NAMES, InventoryRow
from objects.listing import successor

PAGE_SIZE = 1_000

_COLUMNS = """o.key, v.id, v.version_id, v.id = o.current_version_id, v.is_delete_marker, v.size_bytes, v.etag,
       v.storage_class, v.part_count IS NOT NULL, v.replication_status, v.encryption, v.lock_mode, v.retain_until, v.legal_hold,
       v.checksum_algorithm, v.became_current_at, v.owner_id, v.acl, v.tags,
       CASE WHEN v.storage_class = 'INTELLIGENT_TIERING' THEN
           coalesce((SELECT m.tier FROM objects_monitoring m WHERE m.version_id = v.id), 0) END"""
_IN_PREFIX = """o.bucket_id = %(bucket_id)s AND o.key >= %(prefix)s AND (%(end)s::text IS NULL OR o.key < %(end)s::text)
   AND o.key >= %(after_key)s"""

# Plan: the index objects_listed from the last key on, the primary key of each version.
_CURRENT = f"""
SELECT {_COLUMNS}
  FROM objects_object o JOIN objects_objectversion v ON v.id = o.current_version_id
 WHERE {_IN_PREFIX} AND o.is_listed AND (%(after_row)s::bigint IS NULL OR o.key > %(after_key)s)
 ORDER BY o.key LIMIT %(limit)s
"""

# Plan: the unique index on (bucket, key) from the last key on; of each key, a range of the index versions_of_object.
_ALL = f"""
SELECT {_COLUMNS}
  FROM objects_object o JOIN objects_objectversion v ON v.object_id = o.id
 WHERE {_IN_PREFIX} AND v.deleted_at IS NULL
   AND (%(after_row)s::bigint IS NULL OR o.key > %(after_key)s OR v.id < %(after_row)s::bigint)
 ORDER BY o.key, v.id DESC LIMIT %(limit)s
"""


def iterate_rows(
    inventory: Inventory, *, bucket_id: int, bucket_name: str, rules: list[Rule], day_seconds: int
) -> Iterator[tuple[InventoryRow, str, str | None]]:
    """Yield what a report tells of each version, its owner's account and its grants as stored. One statement a page."""
    arguments: dict[str, Any] = {
        "bucket_id": bucket_id,
        "prefix": inventory.prefix,
        "end": successor(inventory.prefix),
        "after_key": "",
        "after_row": None,
        "limit": PAGE_SIZE,
    }
    statement = _ALL if inventory.has_all_versions else _CURRENT
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            page = cursor.fetchall()
        for row in page:
            yield _row(row, bucket_name, rules, day_seconds)
        if len(page) < PAGE_SIZE:
            return
        arguments["after_key"], arguments["after_row"] = page[-1][:2]


def _row(
    row: tuple[Any, ...], bucket_name: str, rules: list[Rule], day_seconds: int
) -> tuple[InventoryRow, str, str | None]:
    key, _, version_id, is_latest, is_delete_marker, size_bytes, etag, storage_class, *rest = row
    is_multipart, replication, encryption, mode, retain_until, legal_hold, algorithm, at, owner_id, acl, tags, tier = (
        rest
    )
    expires_at = None
    if rules and is_latest and not is_delete_marker:
        read_tags = json.loads(tags)
        times = [
            rule.expire_at or over_at(at, rule.expire_days or 0, day_seconds)
            for rule in rules
            if (rule.expire_at is not None or rule.expire_days is not None)
            and rule.filter.fits(key=key, size_bytes=size_bytes, tags=read_tags)
        ]
        expires_at = min(times, default=None)
    told = InventoryRow(
        bucket_name=bucket_name,
        key=key,
        version_id=version_id,
        is_latest=is_latest,
        is_delete_marker=is_delete_marker,
        size_bytes=size_bytes,
        etag=etag,
        storage_class=storage_class,
        is_multipart=is_multipart,
        replication_status=replication,
        encryption=StoredEncryption.from_document(json.loads(encryption)),
        lock_mode=mode,
        retain_until=retain_until,
        legal_hold=legal_hold,
        checksum_algorithm=algorithm,
        modified_at=at,
        expires_at=expires_at,
        access_tier="" if tier is None else TIER_NAMES[tier],
    )
    return told, owner_id, acl
