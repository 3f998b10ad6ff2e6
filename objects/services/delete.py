"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from events.cause import REMOVED, cause_document
from objects.replica import STATUS
from objects.services.publish import call_publisher, new_version_id, raise_outcome
from s3protocol import errors

# Plans: see objects/sql/publish.sql.
_DELETE_OBJECT = """
SELECT outcome, version_id, is_delete_marker FROM objects_delete_object(%s, %s, %s, %s::jsonb, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class DeleteConditions:
    """Conditions of a delete: an ETag without quotes (or `*`), a size in bytes, a time compared by the second."""

    if_match: str | None = None
    if_match_size: int | None = None
    if_match_modified: datetime | None = None


NO_CONDITIONS = DeleteConditions()


@dataclass(frozen=True, slots=True)
class Deletion:
    """What a delete answers: the version deleted or the marker made, None where versioning never was."""

    version_id: str | None
    is_delete_marker: bool


def delete_object(
    *,
    bucket_id: int,
    key: str,
    owner_id: str,
    version_id: str | None,
    conditions: DeleteConditions = NO_CONDITIONS,
    is_bypassing: bool = False,
    replica_id: str | None = None,
) -> Deletion:
    """Delete an object, or one version of it; `owner_id` owns the delete marker where one is made. One round trip.

    Deleting what is not there succeeds, as in S3. `replica_id` names a delete marker that is another's replica. `is_bypassing` lifts retention in GOVERNANCE mode; whoever says so has
    authorized it. Raises AccessDenied for a locked version, NoSuchKey and PreconditionFailed for conditions, NoSuchBucket.
    """
    marker = {
        "version_id": replica_id or new_version_id(),
        "replication_status": "" if replica_id is None else STATUS,
        "owner_id": owner_id,
        "is_delete_marker": True,
        "cause": cause_document(REMOVED),
    }
    outcome, deleted_version_id, is_delete_marker = call_publisher(
        _DELETE_OBJECT,
        [
            bucket_id,
            key,
            version_id,
            json.dumps(marker),
            conditions.if_match,
            conditions.if_match_size,
            conditions.if_match_modified,
            is_bypassing,
        ],
    )
    if outcome == errors.AccessDenied.code:
        raise errors.AccessDenied("Access Denied because object protected by object lock.")
    raise_outcome(outcome)
    return Deletion(deleted_version_id, is_delete_marker)
