"""Carry versions, delete markers and changes of versions to other buckets of this store.

Each is read and written as the role of the configuration (`replication_role`): by what it may do when that happens.
No byte moves where both may share chunks; version ids, metadata, tags, checksums and locks are the source's.

Rows are queued by `objects/sql` in the transaction of the write. One process at a time works for a bucket (`workers`
sees to it), a key's rows in order; where one fails, the later ones of its key and destination wait for it. A run that is
killed after a replica was published finds it by its version id: nothing is published twice.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Coalesce, Now

from accesscontrol.errors import RoleNotAssumable, SecretUnreadable
from buckets.models import Versioning
from buckets.selectors import BucketRecord, find_bucket, find_remote_store
from chunks.errors import ChunkError
from events.cause import REMOVED, REPLICATION_FAILED, cause_document
from objects.encryption import EncryptionChoice, Method
from objects.models import ObjectVersion, Replication
from objects.replica import STATUS, ReplicaClaim
from objects.retention import NO_LOCK, ObjectLock
from objects.selectors.lookup import VersionRecord, find_parts, look_up_row
from objects.services.copy import copy_object, share_version
from objects.services.encryption import default_choice, open_version
from objects.services.events import note_version_event
from objects.services.publish import UNCONDITIONAL, NewVersion, call_publisher, raise_outcome
from objects.services.read import iterate_version
from objects.services.remote import RemoteBucket, RemoteRefused
from objects.services.replication_role import ReplicationRefused, ReplicationRole
from s3protocol import errors
from s3protocol.timestamps import format_iso8601

logger = logging.getLogger("objstore.objects")

BATCH_SIZE = 100
PAUSE_SECONDS_MAX = 300

# Plan: a loose scan of the index replications_of_bucket: a probe for each bucket that has something to do.
_WAITING_BUCKETS = """
WITH RECURSIVE waiting AS (
    (SELECT bucket_id FROM objects_replication ORDER BY bucket_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.bucket_id FROM objects_replication r WHERE r.bucket_id > w.bucket_id ORDER BY r.bucket_id LIMIT 1)
      FROM waiting w WHERE w.bucket_id IS NOT NULL)
SELECT bucket_id FROM waiting WHERE bucket_id IS NOT NULL
"""

# Plan: the index replications_of_bucket from the oldest on; for each a probe of failing_replications, which holds few.
_TAKE = """
SELECT r.id FROM objects_replication r
 WHERE r.bucket_id = %s
   AND NOT EXISTS (SELECT FROM objects_replication f
                    WHERE f.bucket_id = r.bucket_id AND f.destination_name = r.destination_name
                      AND f.remote_name = r.remote_name AND f.key = r.key
                      AND f.attempts > 0 AND f.next_attempt_at > clock_timestamp())
 ORDER BY r.id LIMIT %s
"""

_SETTLE_VERSION = """
UPDATE objects_objectversion v SET replication_status = 'COMPLETED'
 WHERE v.id = %s AND v.replication_status IN ('PENDING', 'FAILED')
   AND NOT EXISTS (SELECT FROM objects_replication r WHERE r.version_row = v.id)
"""

# Plans: see objects/sql/publish.sql.
_DELETE_OBJECT = "SELECT outcome FROM objects_delete_object(%s, %s, NULL, %s::jsonb, NULL, NULL, NULL, false)"


@dataclass(slots=True)
class Replicated:
    """What a run did."""

    done: int = 0
    failed: int = 0


def waiting_buckets() -> list[int]:
    """Return the buckets of which something is to be replicated. One probe for each."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING_BUCKETS)
        return [row[0] for row in cursor.fetchall()]


def replicate_bucket(bucket_id: int, *, may_go_on: Callable[[], bool]) -> Replicated:
    """Carry out what waits of a bucket, until nothing is left that may go."""
    replicated = Replicated()
    while may_go_on():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [bucket_id, BATCH_SIZE])
            ids = [row[0] for row in cursor.fetchall()]
        stuck: set[tuple[str, str, str]] = set()
        for row in Replication.objects.filter(pk__in=ids).order_by("pk"):
            place = (row.remote_name, row.destination_name, row.key)
            if place in stuck or not may_go_on():
                continue
            try:
                _carry(row)
            except (
                ReplicationRefused,
                RoleNotAssumable,
                RemoteRefused,
                SecretUnreadable,
                errors.S3Error,
                ChunkError,
            ) as failure:
                _put_off(row, str(failure) or type(failure).__name__)
                stuck.add(place)
                replicated.failed += 1
            else:
                _settle(row)
                replicated.done += 1
        if not ids or len(stuck) == len(ids):
            break
    return replicated


def _carry(row: Replication) -> None:
    """Do what a row asks for. What has gone meanwhile needs no replica."""
    found = look_up_row(bucket_id=row.bucket_id, version_row=row.version_row)
    if found is None or found.version is None:
        return
    if not ObjectVersion.objects.filter(pk=row.version_row, deleted_at=None).exists():
        return
    role = ReplicationRole.assume(row, found.bucket)
    source = role.readable(found.version)
    if row.remote_name:
        _carry_away(row, source, found.bucket.owner_id, role)
        return
    destination = _destination(row, role)
    source = role.tagged(source, destination)
    replica = (
        ObjectVersion.objects.filter(
            object__bucket_id=destination.id, object__key=row.key, version_id=source.version_id
        )
        .order_by("-pk")
        .first()
    )
    if row.kind == "change":
        if replica is not None:
            _change(replica, source, destination, keeps_grants=row.takes_ownership)
    elif replica is None and row.kind == "marker":
        _mark(row, source, destination)
    elif replica is None:
        _publish(row, source, destination)


def _carry_away(row: Replication, source: VersionRecord, account_id: str, role: ReplicationRole) -> None:
    """Do what a row asks for in another store. Raises RemoteRefused, ReplicationRefused."""
    store = find_remote_store(row.remote_name, account_id=account_id)
    if store is None:
        raise ReplicationRefused(f"there is no active store {row.remote_name} for the account")
    source = role.tagged(source, None)
    role.require_remote("s3:ReplicateDelete" if row.kind == "marker" else "s3:ReplicateObject")
    remote = RemoteBucket(store, row.destination_name)
    if row.kind == "change":
        remote.put_tags(row.key, source.version_id, source.tags)
    elif remote.has_version(row.key, source.version_id):
        return
    elif row.kind == "marker":
        remote.put_marker(row.key, ReplicaClaim(source.version_id))
    else:
        _send_version(remote, row, source)


def _send_version(remote: RemoteBucket, row: Replication, source: VersionRecord) -> None:
    opened = open_version(source, None)
    parts = find_parts(source.id) if source.part_count else None
    headers = {}
    storage_class = row.storage_class or source.storage_class
    if storage_class != "STANDARD":
        headers["x-amz-storage-class"] = storage_class
    if source.encryption is not None:
        headers["x-amz-server-side-encryption"] = source.encryption.method.value
        if source.encryption.method is Method.SSE_KMS and row.kms_key:
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = row.kms_key
    claim = ReplicaClaim(
        source.version_id, source.etag, tuple((number, size_bytes) for number, size_bytes, _ in parts or ())
    )
    body = iterate_version(source, 0, source.size_bytes, data_key=opened.data_key)
    remote.put_version(source, claim, body, headers)


def _destination(row: Replication, role: ReplicationRole) -> BucketRecord:
    """Return the bucket that takes the replica, if the role may put it there. Raises ReplicationRefused."""
    destination = find_bucket(row.destination_name)
    if destination is None or destination.versioning != Versioning.ENABLED.value:
        raise ReplicationRefused(f"there is no versioned bucket {row.destination_name}")
    role.require("s3:ReplicateDelete" if row.kind == "marker" else "s3:ReplicateObject", destination)
    if row.takes_ownership:
        role.require("s3:ObjectOwnerOverrideToBucketOwner", destination)
    return destination


def _publish(row: Replication, source: VersionRecord, destination: BucketRecord) -> None:
    version = NewVersion(
        owner_id=destination.owner_id if row.takes_ownership else source.owner_id,
        acl=None if row.takes_ownership or source.acl is None else json.loads(source.acl),
        size_bytes=source.size_bytes,
        etag=source.etag,
        content_type=source.content_type,
        headers=source.headers,
        metadata=source.metadata,
        tags=source.tags,
        storage_class=row.storage_class or source.storage_class,
        checksum_algorithm=source.checksum_algorithm,
        checksum_type=source.checksum_type,
        checksum=source.checksum,
        part_count=source.part_count,
        parts=find_parts(source.id) if source.part_count else None,
        lock=_lock(source) if destination.is_lock_enabled else NO_LOCK,
        version_id=source.version_id,
        replication_status=STATUS,
        encryption=source.encryption,
    )
    if source.encryption is not None and source.encryption.method is Method.SSE_C:
        # Nobody here can open it: the replica lies in the same chunks, and opens with the same key.
        share_version(bucket_id=destination.id, key=row.key, source=source, version=version, conditions=UNCONDITIONAL)
        return
    copy_object(
        bucket_id=destination.id,
        key=row.key,
        source=open_version(source, None),
        version=version,
        conditions=UNCONDITIONAL,
        encryption=_choice(row, source, destination),
        with_annotations=True,
    )


def _choice(row: Replication, source: VersionRecord, destination: BucketRecord) -> EncryptionChoice | None:
    """Return what a replica is encrypted by: what is not encrypted gets the destination's default."""
    if source.encryption is None:
        return default_choice(destination)
    if source.encryption.method is Method.SSE_KMS:
        key = row.kms_key or source.encryption.key_id
        return EncryptionChoice(
            Method.SSE_KMS, key or None, source.encryption.context, source.encryption.has_bucket_key
        )
    return EncryptionChoice(source.encryption.method)


def _lock(source: VersionRecord) -> ObjectLock:
    return ObjectLock(source.lock_mode, source.retain_until, source.legal_hold)


def _mark(row: Replication, source: VersionRecord, destination: BucketRecord) -> None:
    marker = {
        "version_id": source.version_id,
        "owner_id": destination.owner_id if row.takes_ownership else source.owner_id,
        "is_delete_marker": True,
        "replication_status": STATUS,
        "cause": cause_document(REMOVED),
    }
    (outcome,) = call_publisher(_DELETE_OBJECT, [destination.id, row.key, json.dumps(marker)])
    raise_outcome(outcome)


def _change(replica: ObjectVersion, source: VersionRecord, destination: BucketRecord, *, keeps_grants: bool) -> None:
    """Give a replica the tags, grants and protection that its source has now. Protection never becomes less."""
    with transaction.atomic():
        held = ObjectVersion.objects.select_for_update().get(pk=replica.pk)
        held.tags = source.tags
        if not keeps_grants and held.owner_id == source.owner_id:
            held.acl = None if source.acl is None else json.loads(source.acl)
        if destination.is_lock_enabled:
            held.legal_hold = source.legal_hold
            if source.retain_until is not None and (
                held.retain_until is None or source.retain_until >= held.retain_until
            ):
                held.lock_mode, held.retain_until = source.lock_mode, source.retain_until
        held.save(update_fields=["tags", "acl", "legal_hold", "lock_mode", "retain_until"])


def _settle(row: Replication) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        Replication.objects.filter(pk=row.pk).delete()
        cursor.execute(_SETTLE_VERSION, [row.version_row])


def _put_off(row: Replication, error: str) -> None:
    """Try a row again after a pause that doubles; give it up once it has failed for too long."""
    now = datetime.now(UTC)
    logger.warning("version %d can't be replicated to %s: %s", row.version_row, row.destination_name, error)
    with transaction.atomic():
        if row.failing_since is None:
            _note_failure(row, error)
        elif row.failing_since < now - timedelta(seconds=settings.OBJSTORE_REPLICATION_RETRY_SECONDS):
            logger.error("the replication of version %d is given up: %s", row.version_row, error)
            Replication.objects.filter(pk=row.pk).delete()
            return
        Replication.objects.filter(pk=row.pk).update(
            attempts=row.attempts + 1,
            failing_since=Coalesce("failing_since", Now()),
            next_attempt_at=now + timedelta(seconds=min(PAUSE_SECONDS_MAX, 2 ** min(row.attempts, 16))),
            last_error=error,
        )


def _note_failure(row: Replication, error: str) -> None:
    ObjectVersion.objects.filter(pk=row.version_row, replication_status="PENDING").update(replication_status="FAILED")
    told = {
        "replicationRuleId": row.rule_id,
        "destinationBucket": f"arn:aws:s3:::{row.destination_name}",
        "s3Operation": "OBJECT_DELETE" if row.kind == "marker" else "OBJECT_PUT",
        "requestTime": format_iso8601(row.queued_at),
        "failureReason": error,
    }
    note_version_event(row.version_row, REPLICATION_FAILED, {"replicationEventData": told})
