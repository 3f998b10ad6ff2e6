"""Which tables the journal keeps, as the database describes them now.

All of the schema, but what restoring makes anew and what only tells of a passing moment. Partitions are kept through the
table that they are parts of.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier

PUBLICATION = "objstore_journal"

# Of these tables, rows for which the column holds come as a message of many instead (`audit.services.batches`).
BATCHED = {"audit_auditevent": "is_batched"}

# Each with the reason why nothing is lost without it.
TRANSIENT = {
    "django_migrations": "migrating the restored database writes it",
    "django_session": "people sign in again",
    "chunks_nodehealth": "the next probe, ten seconds later, fills it",
    "journal_journalstate": "tells of the journal itself; a restored database begins a new one",
}

_TABLES = """
SELECT c.relname,
       c.relkind = 'p' AS is_partitioned,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
              ORDER BY a.attnum) AS columns,
       ARRAY(SELECT a.attname::text
               FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
              WHERE i.indrelid = c.oid AND i.indisprimary ORDER BY a.attnum) AS key_columns
  FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
   AND NOT c.relispartition AND c.relname <> ALL (%s)
 ORDER BY c.relname
"""

_PARTITIONS = """
SELECT parent.relname, part.relname, pg_get_expr(part.relpartbound, part.oid)
  FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid JOIN pg_class parent ON parent.oid = i.inhparent
 WHERE part.relispartition AND part.relnamespace = current_schema()::regnamespace AND part.relkind IN ('r', 'p')
   AND parent.relname <> ALL (%s)
 ORDER BY i.inhparent, part.relname
"""

_SEQUENCES = """
SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = current_schema() AND last_value > 1
"""

_PUBLISHED = """
SELECT tablename, rowfilter IS NOT NULL FROM pg_publication_tables WHERE pubname = %s AND schemaname = current_schema()
"""

# Rows without a primary key are told apart by all their values, and so are those of which a column says whether they are
# published. Of a partitioned table, each part needs to be told.
_WITHOUT_IDENTITY = """
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relpersistence = 'p'
   AND c.relname <> ALL (%s) AND c.relreplident = 'd'
   AND (NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
        OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid AND h.inhparent = ANY (%s::regclass[])))
"""

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as snapshots and changes see it."""

    name: str
    columns: tuple[str, ...]
    key_columns: tuple[str, ...]
    is_partitioned: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a partitioned table, and which rows it takes, in PostgreSQL's words."""

    parent: str
    name: str
    bound: str


def list_tables(connection: Connection) -> list[Table]:
    """Return the tables that the journal keeps."""
    rows = connection.execute(_TABLES, [list(TRANSIENT)]).fetchall()
    return [Table(name, tuple(columns), tuple(keys), is_partitioned) for name, is_partitioned, columns, keys in rows]


def list_partitions(connection: Connection) -> list[Partition]:
    """Return the parts of partitioned tables."""
    return [Partition(*row) for row in connection.execute(_PARTITIONS, [list(TRANSIENT)]).fetchall()]


def list_migrations(connection: Connection) -> list[list[str]]:
    """Return the migrations that are applied, in their order."""
    rows = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    return [list(row) for row in rows]


def list_sequences(connection: Connection) -> dict[str, int]:
    """Return the last number that each sequence has given out."""
    return dict(connection.execute(_SEQUENCES).fetchall())


def tell_rows_apart(connection: Connection) -> None:
    """Let the server log what tells rows apart in changes, where a primary key does not suffice or is not there."""
    batched = [table.name for table in list_tables(connection) if _is_batched(table)]
    for (name,) in connection.execute(_WITHOUT_IDENTITY, [list(TRANSIENT), batched]).fetchall():
        connection.execute(SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(Identifier(name)))


def publish_tables(connection: Connection) -> None:
    """Bring the publication up to the tables that there are, each with what tells its rows apart in changes.

    A published table without that could not be updated any more, so this comes first.
    """
    tell_rows_apart(connection)
    tables = list_tables(connection)
    wanted = SQL(", ").join(map(_published, tables))
    exists = connection.execute("SELECT FROM pg_publication WHERE pubname = %s", [PUBLICATION]).fetchone() is not None
    if not exists:
        connection.execute(
            SQL("CREATE PUBLICATION {} FOR TABLE {} WITH (publish_via_partition_root = true)").format(
                Identifier(PUBLICATION), wanted
            )
        )
        return
    published = set(connection.execute(_PUBLISHED, [PUBLICATION]).fetchall())
    if published != {(table.name, _is_batched(table)) for table in tables}:
        connection.execute(SQL("ALTER PUBLICATION {} SET TABLE {}").format(Identifier(PUBLICATION), wanted))


def _is_batched(table: Table) -> bool:
    return BATCHED.get(table.name) in table.columns


def _published(table: Table) -> Composed:
    if not _is_batched(table):
        return SQL("{}").format(Identifier(table.name))
    return SQL("{} WHERE (NOT {})").format(Identifier(table.name), Identifier(BATCHED[table.name]))
