"""RenameObject: one transaction, no byte moves.

Write ordering: paragraph 2 for the new key and 4 for the old one, in one. Both keys' rows are locked in the order of the
keys' names, so renames can't wait for each other in a circle.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from events.cause import CREATED_BY_COPY, REMOVED, cause_document
from objects.selectors.lookup import VersionRecord
from objects.services.publish import UNCONDITIONAL, WriteConditions, call_publisher, new_version_id, raise_outcome

# Plans: see objects/sql/rename.sql.
_RENAME_OBJECT = """
SELECT outcome FROM objects_rename_object(%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class RenameConditions:
    """What must hold of the object at the new name: ETags without quotes, times of whole seconds."""

    etags: WriteConditions = UNCONDITIONAL
    modified_since: datetime | None = None
    unmodified_since: datetime | None = None


def rename_object(
    *,
    bucket_id: int,
    source: VersionRecord,
    key: str,
    marker_owner_id: str,
    conditions: RenameConditions,
    token: str | None,
    parameters: str,
) -> None:
    """Make the current version of one key that of another, and delete it at the first. One round trip.

    `marker_owner_id` owns the delete marker that stays where versions are kept. With a `token` that was used before,
    nothing is done if `parameters` are the same. Raises IdempotencyParameterMismatch if not, PreconditionFailed,
    NoSuchKey when the source is gone meanwhile, ConditionalRequestConflict when it is another object meanwhile.
    """
    changes = {"version_id": new_version_id(), "cause": cause_document(CREATED_BY_COPY)}
    marker = {
        "version_id": new_version_id(),
        "owner_id": marker_owner_id,
        "is_delete_marker": True,
        "cause": cause_document(REMOVED),
    }
    (outcome,) = call_publisher(
        _RENAME_OBJECT,
        [
            bucket_id,
            source.key,
            source.id,
            source.etag,
            key,
            json.dumps(changes),
            json.dumps(marker),
            conditions.etags.if_none_match,
            conditions.etags.if_match,
            conditions.modified_since,
            conditions.unmodified_since,
            token,
            parameters_digest(parameters),
        ],
        version_id="NULL",
    )
    if outcome != "done":
        raise_outcome(outcome)


def parameters_digest(parameters: str) -> str:
    """Return what is kept of a rename's parameters."""
    return hashlib.sha256(parameters.encode()).hexdigest()
