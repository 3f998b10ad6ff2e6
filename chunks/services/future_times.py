"""After the clock was ahead and has been set back: what is due at a time that the wrong clock named is due now.

A fault that was met while the clock was a day ahead would wait a day to be repaired, and a node that died meanwhile would
count as well for as long. No duty here plans further ahead than an hour, so whatever is to happen later than in two was
planned by another clock. Times that only tell when something was are not touched.
"""

from django.db import DEFAULT_DB_ALIAS, connection, connections

# Plans: the ends of fault_by_next_attempt and, for each state, of garbage_by_state_and_time.
_STATEMENTS = (
    """
UPDATE chunks_fragmentfault SET next_attempt_at = now(), detected_at = least(detected_at, now())
 WHERE next_attempt_at > now() + interval '2 hours'
""",
    """
UPDATE chunks_garbage SET next_attempt_at = now(), asked_at = least(asked_at, now())
 WHERE state IN ('question', 'unlink') AND next_attempt_at > now() + interval '2 hours'
""",
)

# A few rows. `now` is the database's: the times were too.
_NODE_HEALTH = """
UPDATE chunks_nodehealth
   SET unreachable_since = least(unreachable_since, now()), faults_queued_at = least(faults_queued_at, now()),
       last_seen_at = least(last_seen_at, now()), probed_at = least(probed_at, now())
 WHERE greatest(unreachable_since, faults_queued_at, last_seen_at, probed_at) > now() + interval '1 minute'
"""


def bring_back_future_times(*, using: str = DEFAULT_DB_ALIAS) -> int:
    """Make due what a clock that was ahead has put off; return how many rows that were. Three statements."""
    count = 0
    with connections[using].cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement)
            count += int(cursor.rowcount)
    with connection.cursor() as cursor:
        cursor.execute(_NODE_HEALTH)
        return count + int(cursor.rowcount)
