"""The tables of a database that is being restored: migrated to where they were, emptied, with their partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor
from psycopg.sql import SQL, Identifier

from journal.services.backups import NothingToRestore
from journal.tables import Connection, list_partitions, list_tables, tell_rows_apart

SEQUENCE_HEADROOM = 1_000  # or as much as was used: a sequence of small numbers has an end

_SEQUENCES = """
SELECT c.relname, a.attname
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) IS NOT NULL
"""
_SET_TO_MAXIMUM = """
SELECT setval(s.name, m.last) FROM (SELECT max({column}) AS last FROM {table}) AS m,
       (SELECT pg_get_serial_sequence({table_name}, {column_name})::regclass AS name) AS s
 WHERE m.last > coalesce(pg_sequence_last_value(s.name), 0)
"""


def migrate_to(migrations: Sequence[Sequence[str]]) -> None:
    """Migrate the database forward until these migrations are applied. NothingToRestore if one is unknown here."""
    executor = MigrationExecutor(django_connection)
    graph = executor.loader.graph
    wanted = {(app, name) for app, name in migrations}
    unknown = sorted(f"{app}.{name}" for app, name in wanted - set(graph.nodes))
    if unknown:
        raise NothingToRestore(f"the metadata is of a newer release than this one, which has no {', '.join(unknown)}")
    # A target that another one needs would be taken for one to go back to.
    leaves = [one for one in wanted if not {child.key for child in graph.node_map[one].children} & wanted]
    executor.migrate(sorted(one for one in leaves if one not in executor.loader.applied_migrations))
    django_connection.close()


def switch_triggers_off(connection: Connection) -> bool:
    """Let no trigger fire: what triggers did is in the rows. Tell whether `switch_triggers_on` must follow.

    Foreign keys are checked by none then, and hold, as they did where the rows come from.
    """
    try:
        connection.execute("SET session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        # Django's foreign keys are checked at commit, where they hold again.
        for table in list_tables(connection):
            connection.execute(SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(Identifier(table.name)))
        return True
    return False


def switch_triggers_on(connection: Connection) -> None:
    """Let the triggers of all tables fire again."""
    for table in list_tables(connection):
        connection.execute(SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(Identifier(table.name)))


def empty_tables(connection: Connection) -> None:
    """Delete what migrations have put into tables."""
    names = [Identifier(table.name) for table in list_tables(connection)]
    connection.execute(SQL("TRUNCATE {} CASCADE").format(SQL(", ").join(names)))


def replace_partitions(connection: Connection, partitions: Sequence[Sequence[str]]) -> None:
    """Drop the partitions that migrations have made, which are empty, and make these: parent, name, bound."""
    for one in list_partitions(connection):
        connection.execute(SQL("DROP TABLE {}").format(Identifier(one.name)))
    add_partitions(connection, partitions)


def add_partitions(connection: Connection, partitions: Sequence[Sequence[str]]) -> None:
    """Make those of the partitions that there are not yet; rows that were waiting for one in the default move there."""
    present = {one.name: one for one in list_partitions(connection)} if partitions else {}
    defaults = {one.parent: one.name for one in present.values() if one.bound == "DEFAULT"}
    for parent, name, bound in partitions:
        if name in present:
            continue
        with connection.transaction():
            if parent in defaults:
                _set_default_aside(connection, parent, defaults[parent])
            # A bound is in the words of the server that had it, and in a record that is checked.
            connection.execute(
                SQL(f"CREATE TABLE {{}} PARTITION OF {{}} {bound}").format(Identifier(name), Identifier(parent))
            )
            if parent in defaults:
                _put_default_back(connection, parent, defaults[parent])
            tell_rows_apart(connection)


def _set_default_aside(connection: Connection, parent: str, default: str) -> None:
    connection.execute(SQL("ALTER TABLE {} DETACH PARTITION {}").format(Identifier(parent), Identifier(default)))
    connection.execute(SQL("CREATE TEMPORARY TABLE waiting AS SELECT * FROM {}").format(Identifier(default)))
    connection.execute(SQL("TRUNCATE {}").format(Identifier(default)))


def _put_default_back(connection: Connection, parent: str, default: str) -> None:
    connection.execute(
        SQL("ALTER TABLE {} ATTACH PARTITION {} DEFAULT").format(Identifier(parent), Identifier(default))
    )
    connection.execute(SQL("INSERT INTO {} SELECT * FROM waiting").format(Identifier(parent)))
    connection.execute("DROP TABLE waiting")


def set_sequences(connection: Connection, last_values: Mapping[str, int]) -> None:
    """Let every sequence go on after all numbers that are known to have been used, and some more.

    A number that went into what is lost, as into a name or a seal, must not be used again for something else.
    """
    for name, last in last_values.items():
        if connection.execute("SELECT to_regclass(%s) IS NULL", [f'"{name}"']).fetchone() == (False,):
            connection.execute(SQL("SELECT setval({}, {})").format(f'"{name}"', last + min(last, SEQUENCE_HEADROOM)))
    for table, column in connection.execute(_SEQUENCES).fetchall():
        connection.execute(
            SQL(_SET_TO_MAXIMUM).format(
                column=Identifier(column), table=Identifier(table), table_name=f'"{table}"', column_name=column
            )
        )
