"""Notice nodes that are lost, and queue for repair all that they held, before anybody reads it.

Lost is a node that people marked as down, or that has not answered for longer than a grace period. All chunks are walked
once, in order of their ids, a batch a statement; killed half-way, the walk begins anew, and what is queued already is
left as it is. A walk that came to its end is written down, and repeated now and then while the node stays lost: an
upload that was under way may have published fragments on it since.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections

NODE_GRACE_SECONDS = 600.0
WALK_AGAIN_SECONDS = 3600.0
BATCH_SIZE = 10_000

# A few rows. A node that was never looked at is lost only if people say so.
_FIND_LOST = """
SELECT n.id, n.name,
       h.faults_queued_at IS NULL OR h.faults_queued_at < now() - make_interval(secs => %s)
  FROM chunks_node n LEFT JOIN chunks_nodehealth h ON h.node_id = n.id
 WHERE n.state = 'down' OR h.unreachable_since <= now() - make_interval(secs => %s)
 ORDER BY n.id
"""

# Plan: a range of the chunks' primary key. `detected_at` is as old as can be: the grace period has passed.
_QUEUE = """
WITH walked AS MATERIALIZED (
     SELECT id, node_ids FROM chunks_chunk WHERE id > %s ORDER BY id LIMIT %s),
queued AS (
     INSERT INTO chunks_fragmentfault (chunk_id, fragment_index, node_id, kind, last_error, detected_at)
     SELECT w.id, p.position - 1, p.node_id, 'unreachable', 'the node is lost', '1970-01-01Z'
       FROM walked w CROSS JOIN unnest(w.node_ids) WITH ORDINALITY AS p(node_id, position)
      WHERE w.node_ids && %s::smallint[] AND p.node_id = ANY(%s::smallint[])
         ON CONFLICT (chunk_id, fragment_index) DO NOTHING
     RETURNING 1)
SELECT (SELECT id FROM walked ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM queued)
"""

_MARK_QUEUED = """
INSERT INTO chunks_nodehealth (node_id, probed_at, faults_queued_at)
SELECT node_id, now(), now() FROM unnest(%s::smallint[]) AS node_id
    ON CONFLICT (node_id) DO UPDATE SET faults_queued_at = excluded.faults_queued_at
"""


@dataclass(frozen=True, slots=True)
class LostNodes:
    """Which nodes are lost now, and how many fragments on them were queued for repair by this walk."""

    names: tuple[str, ...] = ()
    queued: int = 0


def queue_lost_nodes(
    *,
    grace_seconds: float = NODE_GRACE_SECONDS,
    again_seconds: float = WALK_AGAIN_SECONDS,
    using: str = DEFAULT_DB_ALIAS,
) -> LostNodes:
    """Queue the fragments of lost nodes, if there are some that were not queued lately. A statement per 10,000 chunks."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_LOST, [again_seconds, grace_seconds])
        rows = cursor.fetchall()
    names = tuple(name for _, name, _ in rows)
    due = [node_id for node_id, _, is_due in rows if is_due]
    if not due:
        return LostNodes(names)
    queued, after = 0, UUID(int=0)
    with connections[using].cursor() as cursor:
        while True:
            cursor.execute(_QUEUE, [after, BATCH_SIZE, due, due])
            last, count = cursor.fetchone()
            if last is None:
                break
            queued, after = queued + count, last
    with connection.cursor() as cursor:
        cursor.execute(_MARK_QUEUED, [due])
    return LostNodes(names, queued)
