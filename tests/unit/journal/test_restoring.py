from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from journal.databases import connect, connect_to_restore
from journal.services.backups import NothingToRestore, choose_backup
from journal.services.emptiness import MARK, NotEmpty, is_empty, is_incomplete, mark_complete, mark_incomplete
from journal.services.restoring import Restoring
from journal.services.schemas import migrate_to
from journal.tables import Connection
from tests.unit.journal.conftest import RunningWriter, await_journal, await_snapshot, contents
from tests.unit.journal.replaying import find_backup

Start = Callable[[], RunningWriter]


def test_a_restore_may_end_at_a_time(database: Connection, nodes: Path, start_writer: Start) -> None:
    writer = start_writer()
    state = await_snapshot()
    assert state.snapshot_at is not None
    for number in range(2):
        database.execute("INSERT INTO test_keyless VALUES ('x', %s)", [number])
    time.sleep(0.01)
    until = datetime.now(UTC)
    time.sleep(0.01)
    database.execute("INSERT INTO test_keyless VALUES ('x', 2)")
    await_journal(database)
    writer.stop()
    database.execute("TRUNCATE test_keyless")
    stores, found, backup = find_backup(nodes)
    with connect_to_restore() as connection:
        applied, gap = Restoring(connection, stores, found, backup, lambda _: None).replay(until)
    assert (applied.transactions, gap) == (2, "")
    assert contents(database)["test_keyless"] == [("x", 0), ("x", 1)]
    with pytest.raises(NothingToRestore, match="after the time"):
        choose_backup([backup], None, state.snapshot_at - timedelta(seconds=1), lambda _: None)
    with pytest.raises(NothingToRestore, match="there is no"):
        choose_backup([backup], "0badbad0", None, lambda _: None)
    with pytest.raises(NothingToRestore, match="no node has"):
        choose_backup([], None, None, lambda _: None)


def test_migrations_of_a_newer_release_are_refused(transactional_db: None) -> None:
    with pytest.raises(NothingToRestore, match=r"newer release .* objects\.9999_from_the_future"):
        migrate_to([["objects", "0001_initial"], ["objects", "9999_from_the_future"]])


def test_only_an_empty_database_or_an_incomplete_restore_is_restored_into(transactional_db: None) -> None:
    with connect() as connection:
        with pytest.raises(NotEmpty):
            mark_incomplete(connection)
        connection.execute("CREATE SCHEMA fresh")
        try:
            connection.execute("SET search_path = fresh")
            assert is_empty(connection)
            mark_incomplete(connection)
            connection.execute("CREATE TABLE half (a int PRIMARY KEY); CREATE TABLE rest (a int REFERENCES half)")
            connection.execute("CREATE FUNCTION left_over() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            assert is_incomplete(connection)
            mark_incomplete(connection)  # begins anew
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'fresh'").fetchall()
            assert tables == [(MARK,)]
            mark_complete(connection)
            assert is_empty(connection)
        finally:
            connection.execute("DROP SCHEMA fresh CASCADE")
