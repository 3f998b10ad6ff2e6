"""Publish the versions of concurrent writers together: one statement, one round trip and one commit for all who wait.

Each version is published by the same function as alone, and what an outcome says is said to its writer only. A group
gives up, and changes nothing, where it would have to wait for a lock longer than PATIENCE_MILLISECONDS or where the
database refuses one of its statements: then each goes on alone, and hears what it has coming. Where a connection is lost,
what became of the group is unknown to all of it, as it is to one who goes alone.

In the order of their keys, so that groups seldom wait for each other crosswise; where they do, one gives up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection

from audit.draft import COLUMNS, AuditDraft
from audit.services.rows import changed_values
from chunks.gathering import Gathering

GROUP_LENGTH_MAX = 32
CHUNKS_MAX = 4  # of one who goes with others: whoever publishes more takes long
PATIENCE_MILLISECONDS = 100
# Classes of SQLSTATE that say that nothing has changed: data and integrity errors, rollbacks, locks, and what functions raise.
_UNCHANGED = ("22", "23", "40", "55", "P0")
_COMPLETION_UNKNOWN = "40003"

_AUDITED = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
_COPIED = ", ".join("coalesce(c.version_id, a.version_id)" if name == "version_id" else f"a.{name}" for name in COLUMNS)

# Plans: see objects/sql/publish.sql. That patience is local to the transaction, and is set before the first row is given.
_PUT_VERSIONS = f"""
WITH given AS MATERIALIZED (
    SELECT p.patience, g.*
      FROM (SELECT set_config('lock_timeout', '{PATIENCE_MILLISECONDS}ms', true) AS patience) p,
           jsonb_to_recordset(%s::jsonb)
        AS g(number int, bucket_id bigint, key text, version jsonb, chunks jsonb, if_none_match text, if_match text,
             audit jsonb)
), changed AS MATERIALIZED (
    SELECT g.number, p.*
      FROM given g,
           objects_put_version(g.bucket_id, g.key, g.version, g.chunks, g.if_none_match, g.if_match) AS p
), audited AS (
    INSERT INTO audit_auditevent ({", ".join(COLUMNS)})
    SELECT {_COPIED}
      FROM changed c JOIN given g USING (number), jsonb_to_record(g.audit) AS a({_AUDITED})
     WHERE c.outcome = '' AND g.audit IS NOT NULL
)
SELECT jsonb_agg(jsonb_build_array(c.outcome, c.version_row, c.version_id, c.became_current_at) ORDER BY c.number)::text
  FROM changed c
"""  # noqa: S608  constants


@dataclass(frozen=True, slots=True)
class PutVersion:
    """What `objects_put_version` is given, documents as JSON, and the request's audit row where it is to be written."""

    bucket_id: int
    key: str
    version: str
    chunks: str | None
    if_none_match: str | None
    if_match: str | None
    chunk_count: int
    draft: AuditDraft | None
    publish_alone: Callable[[], tuple[Any, ...]]

    def record(self, number: int) -> str:
        """Render it as the group's statement reads it."""
        rest: dict[str, Any] = {
            "number": number,
            "bucket_id": self.bucket_id,
            "key": self.key,
            "if_none_match": self.if_none_match,
            "if_match": self.if_match,
        }
        if self.draft is not None:
            rest["audit"] = dict(zip(COLUMNS, changed_values(self.draft), strict=True))
        return f'{json.dumps(rest)[:-1]}, "version": {self.version}, "chunks": {self.chunks or "null"}}}'


def publish_together(put: PutVersion) -> tuple[Any, ...]:
    """Publish a version, with those of others where there are any; return what its publishing function answers.

    Raises what publishing it alone would raise, and OperationalError where the connection of its group is lost.
    """
    goes_alone = connection.in_atomic_block or put.chunk_count > CHUNKS_MAX
    row = None if goes_alone else _gathering.submit(put)
    return put.publish_alone() if row is None else row


def put_versions(puts: Sequence[PutVersion]) -> list[tuple[Any, ...] | None]:
    """Publish a group; None for each that has to go alone. Raises OperationalError: what has changed is unknown."""
    if len(puts) == 1:
        return [puts[0].publish_alone()]
    order = sorted(range(len(puts)), key=lambda place: (puts[place].bucket_id, puts[place].key))
    document = f"[{', '.join(puts[place].record(number) for number, place in enumerate(order))}]"
    try:
        (answer,) = connection.call_row(_PUT_VERSIONS, [document])  # type: ignore[attr-defined]  # our engine's
    except DatabaseError as failure:
        state = str(getattr(failure.__cause__, "sqlstate", None))
        if state.startswith(_UNCHANGED) and state != _COMPLETION_UNKNOWN:
            return [None] * len(puts)
        raise
    rows: list[tuple[Any, ...] | None] = [None] * len(puts)
    for place, (outcome, version_row, version_id, became_current_at) in zip(order, json.loads(answer), strict=True):
        at = None if became_current_at is None else datetime.fromisoformat(became_current_at)
        rows[place] = (outcome, version_row, version_id, at)
        draft = puts[place].draft
        if draft is not None and not outcome:
            draft.is_written = True
    return rows


_gathering = Gathering(put_versions, group_size_max=GROUP_LENGTH_MAX)
