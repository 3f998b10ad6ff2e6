"""Is the database empty, and may it be made so? Restoring never writes over anything.

A restore that was killed leaves half a database behind, and a mark in it: that one is emptied without asking.
"""

from __future__ import annotations

from psycopg.sql import SQL, Identifier

from journal.tables import Connection

MARK = "objstore_restore_is_incomplete"

_TABLES = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text FROM pg_proc p
 WHERE p.pronamespace = current_schema()::regnamespace
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


class NotEmpty(Exception):
    """The database holds something."""


def is_empty(connection: Connection) -> bool:
    """Tell whether there is no table."""
    return not connection.execute(_TABLES).fetchall()


def is_incomplete(connection: Connection) -> bool:
    """Tell whether a restore was begun here and not finished."""
    return connection.execute("SELECT to_regclass(%s) IS NOT NULL", [MARK]).fetchone() == (True,)


def mark_incomplete(connection: Connection) -> None:
    """Begin: mark an empty database, or empty one that bears the mark. NotEmpty."""
    if is_incomplete(connection):
        for (name,) in connection.execute(_TABLES).fetchall():
            connection.execute(SQL("DROP TABLE IF EXISTS {} CASCADE").format(Identifier(name)))
        for (name,) in connection.execute(_FUNCTIONS).fetchall():
            connection.execute(f"DROP FUNCTION IF EXISTS {name} CASCADE")
        connection.execute("DROP PUBLICATION IF EXISTS objstore_journal")
    if not is_empty(connection):
        raise NotEmpty("the database is not empty")
    connection.execute(SQL("CREATE TABLE {} ()").format(Identifier(MARK)))


def mark_complete(connection: Connection) -> None:
    """End: the database is whole."""
    connection.execute(SQL("DROP TABLE {}").format(Identifier(MARK)))
