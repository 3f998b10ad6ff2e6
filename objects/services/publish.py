"""Publish a version: the one short transaction that makes stored bytes visible.

Write ordering, paragraph 2: the version, its extents, the key's pointer, what it supersedes and the usage counters
change in one statement. An outcome that says no has changed nothing; an outcome that never arrives (the connection broke
while committing) is unknown, so the fragments stay and the orphan sweep decides.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, connection

from accesscontrol.acl import AclDocument
from audit.draft import AuditDraft
from audit.draft import current as current_draft
from audit.services.rows import audited_parameters, audited_statement
from events.cause import CREATED_BY_PUT, cause_document
from objects.encryption import StoredEncryption
from objects.retention import NO_LOCK, ObjectLock
from objects.services.body import StoredBody, discarded_if_refused
from objects.services.publish_together import PutVersion, publish_together
from s3protocol import errors

# Plans: see objects/sql/publish.sql.
_PUT_VERSION = """
SELECT outcome, version_row, version_id, became_current_at
  FROM objects_put_version(%s, %s, %s::jsonb, %s::jsonb, %s, %s)
"""


_SOURCE_IS_GONE = "22000"  # data_exception, and none of its kinds: raised by these functions alone


def new_version_id() -> str:
    """Draw a version id: 32 URL-safe characters."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """The columns of a version to be published; sizes in bytes, the checksum as S3 renders it."""

    owner_id: str
    size_bytes: int
    etag: str
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    checksum_algorithm: str = ""
    checksum_type: str = ""
    checksum: str = ""
    part_count: int | None = None
    parts: list[list[Any]] | None = None
    lock: ObjectLock = NO_LOCK
    acl: AclDocument | None = None
    encryption: StoredEncryption | None = None
    version_id: str = field(default_factory=new_version_id)
    event_name: str = CREATED_BY_PUT
    replication_status: str = ""
    annotation_bytes: int = 0  # of the annotations that it will get in the same transaction, for the quota

    def document(self) -> str:
        """Render the columns for the publishing functions, which know the empty ones: what is left out costs nothing."""
        columns = {name: value for name in self.__slots__ if (value := getattr(self, name)) not in (None, "", {})}
        if not self.annotation_bytes:
            del columns["annotation_bytes"]
        if columns.pop("lock") is not NO_LOCK:
            columns |= asdict(self.lock)
        columns["cause"] = cause_document(columns.pop("event_name"))
        if self.encryption is not None:
            columns["encryption"] = self.encryption.document()
        return json.dumps(columns, default=datetime.isoformat)


@dataclass(frozen=True, slots=True)
class WriteConditions:
    """Conditions of a write: ETags without quotes, or `*` for any object."""

    if_none_match: str | None = None
    if_match: str | None = None


UNCONDITIONAL = WriteConditions()


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """What a write answers: the version id is "null" where versioning is not enabled."""

    row_id: int
    version_id: str
    became_current_at: datetime


def publish_stored_body(
    *, bucket_id: int, key: str, version: NewVersion, stored: StoredBody, conditions: WriteConditions
) -> PublishedVersion:
    """Make a stored body the current version of a key. One round trip, one commit.

    Raises PreconditionFailed, NoSuchKey or NoSuchBucket, and then removes the stored bytes.
    """
    chunks = stored.chunk_rows()
    parameters = (
        bucket_id,
        key,
        version.document(),
        None if chunks is None else json.dumps(chunks),
        conditions.if_none_match,
        conditions.if_match,
    )
    with discarded_if_refused(stored):
        put = PutVersion(
            *parameters,
            chunk_count=len(stored.chunks),
            draft=_wanted_draft(version.size_bytes),
            publish_alone=lambda: call_publisher(_PUT_VERSION, parameters, size_bytes=version.size_bytes),
        )
        return published(publish_together(put), conditions)


def call_publisher(
    statement: str,
    parameters: Sequence[Any],
    *,
    changed: str = "outcome = ''",
    version_id: str = "changed.version_id",
    size_bytes: int | None = None,
) -> tuple[Any, ...]:
    """Run a statement that calls one of the publishing functions and return its row.

    Raises NoSuchKey where the function says that what is to be copied was erased meanwhile, chunks and all.

    Where a request is served, the audit log's row is written by the same statement, if `changed` holds of its row;
    `version_id` is what the change is about, `size_bytes` how large that is.
    """
    draft = _wanted_draft(size_bytes)
    try:
        if draft is None:
            return _call(statement, parameters)
        *answer, draft.is_written = _call(
            audited_statement(statement, changed, version_id), audited_parameters(parameters, draft)
        )
        return tuple(answer)
    except IntegrityError as failure:
        if "one_visible_version_per_id" in str(failure):  # replicas alone bring ids of their own
            raise errors.InvalidRequest("There is a version of this id already.") from None
        raise
    except DataError as failure:
        if getattr(failure.__cause__, "sqlstate", "") == _SOURCE_IS_GONE:
            raise errors.NoSuchKey from None
        raise


def _wanted_draft(size_bytes: int | None) -> AuditDraft | None:
    """Return the draft of the audit log's row that a change is to write: none outside a request, or where it is written."""
    draft = current_draft()
    if draft is None or draft.is_written:
        return None
    if size_bytes is not None:
        draft.object_bytes = size_bytes
    return draft


def _call(statement: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """Run a statement and return its row; by the shortest way where its parameters are what PostgreSQL reads as text."""
    row: tuple[Any, ...]
    if all(value is None or type(value) in {str, int} for value in parameters):
        texts = [value if value is None or type(value) is str else str(value) for value in parameters]
        row = connection.call_row(statement, texts)  # type: ignore[attr-defined]  # our engine's
        return row
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    return row


def published(row: tuple[Any, ...], conditions: WriteConditions) -> PublishedVersion:
    """Read the answer of a publishing function. Raises the S3 error that it names, which may be about the conditions."""
    outcome, version_row, version_id, became_current_at = row
    if outcome == errors.PreconditionFailed.code:
        raise errors.PreconditionFailed(Condition="If-None-Match" if conditions.if_match is None else "If-Match")
    raise_outcome(outcome)
    return PublishedVersion(version_row, version_id, became_current_at)


def raise_outcome(outcome: str) -> None:
    """Raise the S3 error whose code an outcome is, if it is one."""
    if outcome:
        raise errors.by_code[outcome]
