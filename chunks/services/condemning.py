"""Condemn what nobody refers to before its bytes go, so that nobody can refer to it afterwards.

Bytes exist before their rows, so age alone tells what a crash left from what an upload is about to publish, and age is only
as good as the clock: one that is set forward by a day makes every upload under way look a day old. So an id is written
down as condemned first, and whoever publishes looks for it after having inserted its rows (`objects_insert_chunks`): that
upload is refused and repeated. Publishers who looked before the id was there have a transaction that began before; it is
waited for. Whoever condemned looks for rows once more, and deletes only what has none.
"""

import time
from collections.abc import Collection
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

WAIT_SECONDS_MAX = 30.0
_LOOK_EVERY_SECONDS = 0.01
KEPT_DAYS = 30  # longer than any upload

_CONDEMN = "INSERT INTO chunks_condemned (id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING"

# Transactions that have written something have a number; those that had one before this statement drew its own, and have
# not ended, are waited for. A snapshot's end would not do: it is behind the last that has *ended*, and a publisher that
# drew its number while the condemning transaction was committing is beyond.
_DRAW_NUMBER = "SELECT pg_current_xact_id()::text::numeric"
_OLDEST_UNDER_WAY = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::numeric"

_PARDON = "DELETE FROM chunks_condemned WHERE id = ANY(%s)"
_FORGET = "DELETE FROM chunks_condemned WHERE condemned_at < now() - make_interval(days => %s)"


def condemn(ids: Collection[UUID], *, using: str = DEFAULT_DB_ALIAS, seconds_max: float = WAIT_SECONDS_MAX) -> bool:
    """Make sure that none of these ids of chunks or segments is published from now on; rows that are there stay.

    False if some transaction goes on for too long to be waited for: then nothing may be deleted yet. Not to be called in a
    transaction.
    """
    if not ids:
        return True
    assert not connections[using].in_atomic_block
    with connections[using].cursor() as cursor:
        cursor.execute(_CONDEMN, [list(ids)])
        cursor.execute(_DRAW_NUMBER)
        drawn = cursor.fetchone()[0]
        until = time.monotonic() + seconds_max
        while True:
            cursor.execute(_OLDEST_UNDER_WAY)
            if cursor.fetchone()[0] >= drawn:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_EVERY_SECONDS)


def is_condemned(condemned_id: UUID, *, using: str = DEFAULT_DB_ALIAS) -> bool:
    """Say whether nothing may refer to it: to be asked after the rows were written, in the same transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM chunks_condemned WHERE id = %s)", [condemned_id])
        return bool(cursor.fetchone()[0])


def pardon(ids: Collection[UUID], *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let ids be published that turned out to be referred to."""
    if ids:
        with connections[using].cursor() as cursor:
            cursor.execute(_PARDON, [list(ids)])


def forget_condemned(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Forget ids that no upload can be about to publish any more."""
    with connections[using].cursor() as cursor:
        cursor.execute(_FORGET, [KEPT_DAYS])
