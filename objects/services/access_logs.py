"""Deliver server access logs: the audit rows of buckets that want them, as objects in the buckets that they name.

A batch's bytes are stored first; then the log objects are published and the bucket's progress moves on, in one
transaction: killed anywhere, every row is delivered once. Nobody logs the delivery itself, so that logs of a bucket into
itself don't feed on each other.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import groupby
from typing import Any

from django.db import transaction

from accesscontrol.selectors import find_owner
from audit import selectors as audit_selectors
from audit.models import AuditEvent
from buckets.access_log import KIND, LIFECYCLE_SOURCE, is_by_event_time, log_key, log_line, requester_of
from buckets.log_delivery import check_target
from buckets.models import AccessLogProgress, BucketConfiguration
from buckets.selectors import BucketRecord, find_bucket
from objects.services.body import StoredBody, discard_body, store_body
from objects.services.encryption import default_choice, new_data_key, shown_etag
from objects.services.publish import UNCONDITIONAL, NewVersion, publish_stored_body
from objects.services.put import PUT_SIZE_BYTES_MAX
from s3protocol import errors
from s3protocol.checksums import ChecksumAlgorithm

logger = logging.getLogger("objstore.access_logs")

BATCH_ROWS_MAX = 10_000
SOURCES = ("s3", "share", "website", LIFECYCLE_SOURCE)


@dataclass(slots=True)
class _Text:
    """Lines as the body of a put."""

    content: bytes
    size_bytes: int | None = None
    checksum_algorithm: ChecksumAlgorithm | None = None

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the lines."""
        yield self.content

    def claimed_md5(self) -> bytes | None:
        """Claim nothing."""
        return None

    def claimed_checksum(self) -> bytes | None:
        """Claim nothing, likewise."""
        return None


@dataclass(frozen=True, slots=True)
class _LogObject:
    """A log object whose bytes are stored."""

    key: str
    version: NewVersion
    stored: StoredBody


@dataclass(frozen=True, slots=True)
class DeliveredLogs:
    """What a run delivered."""

    objects: int = 0
    rows: int = 0


def find_logged_buckets() -> list[tuple[int, str]]:
    """Return the ids and names of buckets that want access logs."""
    found = BucketConfiguration.objects.filter(kind=KIND).order_by("bucket_id")
    return list(found.values_list("bucket_id", "bucket__name"))


def deliver_access_log(*, bucket_id: int, name: str) -> DeliveredLogs:
    """Deliver the next batch of a bucket's rows; nothing where there is none, or the target refuses."""
    source = find_bucket(name)
    configuration = BucketConfiguration.objects.filter(bucket_id=bucket_id, kind=KIND).first()
    progress = AccessLogProgress.objects.filter(bucket_id=bucket_id).first()
    if source is None or source.id != bucket_id or configuration is None or progress is None:
        return DeliveredLogs()
    settled = audit_selectors.settled_id()
    rows = audit_selectors.rows_of_bucket(
        name, sources=SOURCES, after_id=progress.delivered_id, last_id=settled, limit=BATCH_ROWS_MAX
    )
    last_id = rows[-1].id if len(rows) == BATCH_ROWS_MAX else max(settled, progress.delivered_id)
    try:
        target = check_target(source, configuration.document)
        logs = _store(source, target, configuration.document, rows, progress.delivered_id)
        is_published = _publish(target, logs, progress, last_id)
    except errors.S3Error as error:  # also a quota that is used up, or a key that the target names and nobody has
        _note_problem(progress, error.message)
        return DeliveredLogs()
    return DeliveredLogs(len(logs), len(rows)) if is_published else DeliveredLogs()


def _note_problem(progress: AccessLogProgress, problem: str) -> None:
    """Write down why rows wait; they go on waiting until the target lets them in, or until their days are dropped."""
    if progress.problem != problem:
        logger.warning("the access log of bucket %s waits: %s", progress.bucket_id, problem)
        AccessLogProgress.objects.filter(pk=progress.pk).update(problem=problem)


def _store(
    source: BucketRecord,
    target: BucketRecord,
    configuration: Mapping[str, Any],
    rows: Sequence[AuditEvent],
    after_id: int,
) -> list[_LogObject]:
    """Store the lines, in one object, or in one for each day of events."""
    now = datetime.now(UTC)
    if is_by_event_time(configuration):
        ordered = sorted(rows, key=lambda row: row.at.astimezone(UTC).date())
        groups = [
            (datetime.combine(day, time(), UTC), list(group))
            for day, group in groupby(ordered, key=lambda row: row.at.astimezone(UTC).date())
        ]
    else:
        groups = [(now, list(rows))] if rows else []
    return [
        _store_lines(
            target,
            log_key(
                configuration,
                now=now,
                day=day,
                account_id=source.owner_id,
                region=source.region,
                bucket=source.name,
                first_id=after_id,
            ),
            _lines(source, group),
            configuration.get("Acl"),
        )
        for day, group in groups
    ]


def _lines(source: BucketRecord, rows: Sequence[AuditEvent]) -> bytes:
    owner = find_owner(source.owner_id).canonical_id
    lines = []
    for row in rows:
        canonical_id = None if row.account_id is None else find_owner(row.account_id).canonical_id
        lines.append(log_line(row, owner=owner, requester=requester_of(row, canonical_id)))
    return "".join(line + "\n" for line in lines).encode()


def _store_lines(target: BucketRecord, key: str, content: bytes, acl: Any) -> _LogObject:
    data_key = new_data_key(default_choice(target))
    version = NewVersion(owner_id=target.owner_id, size_bytes=len(content), etag="", content_type="text/plain", acl=acl)
    stored = store_body(
        _Text(content, len(content)),
        storage_class=version.storage_class,
        size_bytes_max=PUT_SIZE_BYTES_MAX,
        data_key=None if data_key is None else data_key.key,
    )
    columns = {name: getattr(version, name) for name in NewVersion.__slots__} | {
        "etag": shown_etag(data_key, stored.md5.hex()),
        "checksum_algorithm": stored.checksum_algorithm.value,
        "checksum_type": "FULL_OBJECT",
        "checksum": stored.checksum,
        "encryption": None if data_key is None else data_key.stored,
    }
    return _LogObject(key, NewVersion(**columns), stored)


def _publish(target: BucketRecord, logs: Sequence[_LogObject], progress: AccessLogProgress, last_id: int) -> bool:
    """Publish the log objects and move the progress on, unless a rival (or a change of the configuration) was here."""
    with transaction.atomic():
        is_ours = (
            AccessLogProgress.objects.select_for_update()
            .filter(pk=progress.pk, delivered_id=progress.delivered_id)
            .exists()
        )
        if is_ours:
            for log in logs:
                publish_stored_body(
                    bucket_id=target.id, key=log.key, version=log.version, stored=log.stored, conditions=UNCONDITIONAL
                )
            AccessLogProgress.objects.filter(pk=progress.pk).update(delivered_id=last_id, problem="")
    if not is_ours:
        for log in logs:
            discard_body(log.stored)
    return is_ours
