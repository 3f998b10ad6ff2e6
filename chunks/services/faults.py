"""Queue fragments for the repairer, as rows."""

from collections.abc import Iterable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from chunks.records import FaultRecord

# The join drops what was reported against a fragment that has moved, or a chunk that is gone. A fault that is known
# already is left alone: to update it would be to wait for a repairer. In order, so that two reports can't deadlock.
_RECORD_FAULTS = """
INSERT INTO chunks_fragmentfault (chunk_id, fragment_index, node_id, kind, last_error)
SELECT f.chunk_id, f.fragment_index, f.node_id, f.kind, f.last_error
  FROM unnest(%s::uuid[], %s::smallint[], %s::smallint[], %s::text[], %s::text[])
       AS f(chunk_id, fragment_index, node_id, kind, last_error)
  JOIN chunks_chunk c ON c.id = f.chunk_id AND c.node_ids[f.fragment_index + 1] = f.node_id
 ORDER BY f.chunk_id, f.fragment_index
    ON CONFLICT (chunk_id, fragment_index) DO NOTHING
"""


def record_faults(faults: Iterable[FaultRecord], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Queue fragments for the repairer. One statement, which never waits for a repair under way."""
    rows = list(faults)
    if not rows:
        return
    columns: list[Any] = [
        [fault.chunk_id for fault in rows],
        [fault.fragment_index for fault in rows],
        [fault.node_id for fault in rows],
        [fault.kind.value for fault in rows],
        [fault.last_error for fault in rows],
    ]
    with connections[using].cursor() as cursor:
        cursor.execute(_RECORD_FAULTS, columns)
