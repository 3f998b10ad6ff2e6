"""Intelligent tiering: archive the versions that nobody reads.

Theory. A version in INTELLIGENT_TIERING keeps its class whatever its tier; a row beside it (`Monitoring`) says where it is,
and when it was read last (`monitoring`). What was not read for the days of a configuration is written anew as the archive
class keeps bytes, if that differs, and the row says that it is archived, all in one transaction (write ordering, paragraph 3:
as a move between classes). A restore says so in the row alone: bytes stay where they are, as an archive's are as near as
others.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from buckets.intelligent_tiering import KIND, SIZE_BYTES_MIN, Tiering, read_tiering
from buckets.lifecycle import age_cutoff
from buckets.models import BucketConfiguration
from buckets.storage_classes import DEEP_ARCHIVE, GLACIER, INTELLIGENT_TIERING
from chunks.errors import ChunkError
from events.cause import TIER_CHANGED
from objects.listing import successor
from objects.models import AccessTier
from objects.selectors.lookup import VersionRecord, look_up_row
from objects.services.body import discard_body, discarded_if_refused
from objects.services.events import note_version_event
from objects.services.transition import exchange_extents, may_stay, store_anew
from objects.storage_classes import known_storage_classes
from s3protocol import errors

logger = logging.getLogger("objstore.objects")

BATCH_SIZE = 200
TIERS = {tier.name: tier for tier in AccessTier}

# Plan: the index versions_monitored of the bucket from the last row on, the primary keys of object and monitoring.
_CANDIDATES = """
SELECT v.id
  FROM objects_objectversion v JOIN objects_object o ON o.id = v.object_id
       LEFT JOIN objects_monitoring m ON m.version_id = v.id
 WHERE v.bucket_id = %(bucket_id)s AND v.storage_class = 'INTELLIGENT_TIERING' AND v.id > %(after)s
   AND v.deleted_at IS NULL AND v.size_bytes >= %(size_min)s AND v.tags @> %(tags)s::jsonb
   AND o.key >= %(prefix)s AND (%(end)s::text IS NULL OR o.key < %(end)s::text)
   AND coalesce(m.accessed_at, v.became_current_at) <= %(cutoff)s AND coalesce(m.tier, 0) < %(tier)s
 ORDER BY v.id LIMIT %(limit)s
"""

# Plan: primary keys. Nothing where it was read meanwhile, or another worker was first.
_ARCHIVE = """
INSERT INTO objects_monitoring AS m (version_id, accessed_at, tier)
SELECT v.id, v.became_current_at, %(tier)s FROM objects_objectversion v
 WHERE v.id = %(version)s AND (v.became_current_at <= %(cutoff)s OR EXISTS (
       SELECT FROM objects_monitoring k WHERE k.version_id = v.id))
ON CONFLICT (version_id) DO UPDATE SET tier = EXCLUDED.tier WHERE m.accessed_at <= %(cutoff)s AND m.tier < %(tier)s
RETURNING m.version_id
"""


@dataclass(frozen=True, slots=True)
class _Due:
    """What one configuration has due in one tier."""

    bucket_id: int
    tiering: Tiering
    tier: AccessTier
    cutoff: datetime


def carry_out_tierings(*, now: datetime, day_seconds: int, may_go_on: Callable[[], bool]) -> int:
    """Archive what configurations have due; return how many versions were.

    One statement for each batch of a configuration's tier, and the cost of a move between classes for each version. What
    can't be moved today is tried again when this is next called.
    """
    archived = 0
    for due in _due(now=now, day_seconds=day_seconds):
        for version_row in _candidates(due):
            if not may_go_on():
                return archived
            try:
                archived += _archive(due, version_row)
            except (ChunkError, errors.S3Error) as failure:
                logger.warning("version %d stays where it can be read for now: %s", version_row, failure)
    return archived


def _due(*, now: datetime, day_seconds: int) -> Iterator[_Due]:
    rows = BucketConfiguration.objects.filter(kind=KIND).order_by("bucket_id", "name")
    for bucket_id, document in rows.values_list("bucket_id", "document"):
        tiering = read_tiering(document)
        if tiering is not None:
            for name, days in tiering.days_by_tier:
                yield _Due(bucket_id, tiering, TIERS[name], age_cutoff(now, days, day_seconds))


def _candidates(due: _Due) -> Iterator[int]:
    arguments: dict[str, Any] = {
        "bucket_id": due.bucket_id,
        "prefix": due.tiering.filter.prefix,
        "end": successor(due.tiering.filter.prefix),
        "tags": json.dumps(dict(due.tiering.filter.tags)),
        "size_min": SIZE_BYTES_MIN,
        "cutoff": due.cutoff,
        "tier": due.tier,
        "limit": BATCH_SIZE,
        "after": 0,
    }
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_CANDIDATES, arguments)
            rows = [row[0] for row in cursor.fetchall()]
        yield from rows
        if len(rows) < BATCH_SIZE:
            return
        arguments["after"] = rows[-1]


def _archive(due: _Due, version_row: int) -> bool:
    """Archive a version, unless it is gone, elsewhere or read by now."""
    found = look_up_row(bucket_id=due.bucket_id, version_row=version_row)
    version = None if found is None else found.version
    if version is None or version.storage_class != INTELLIGENT_TIERING:
        return False
    like = GLACIER if due.tier is AccessTier.ARCHIVE_ACCESS else DEEP_ARCHIVE
    if like not in known_storage_classes() or may_stay(version, like):
        with transaction.atomic():
            return _mark(due, version)
    stored = store_anew(version, like)
    with discarded_if_refused(stored), transaction.atomic():
        is_archived = _mark(due, version) and exchange_extents(due.bucket_id, version, INTELLIGENT_TIERING, stored)
        if not is_archived:
            transaction.set_rollback(True)
    if not is_archived:
        discard_body(stored)
    return is_archived


def _mark(due: _Due, version: VersionRecord) -> bool:
    """Say in the version's row that it is archived; False where it was read meanwhile. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_ARCHIVE, {"version": version.id, "tier": due.tier, "cutoff": due.cutoff})
        if cursor.fetchone() is None:
            return False
    note_version_event(
        version.id, TIER_CHANGED, {"intelligentTieringEventData": {"destinationAccessTier": due.tier.name}}
    )
    return True
