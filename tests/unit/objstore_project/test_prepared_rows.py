"""Rows by prepared statements, and connections that threads share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import DataError, ProgrammingError, connection, connections, transaction

from objstore_project.postgresql.base import IDLE
from objstore_project.supervisor.postgresql import connect

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = "SELECT %s::text, %s::int + 1, NULL::text"


def backend_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def fetch(statement: str = ECHO, *values: str | None) -> Any:
    engine: Any = connection
    return engine.fetch_row(statement, values or ("a", "41"))


@pytest.fixture
def sharing() -> Iterator[None]:
    """Let threads share connections, as the gateway does."""
    connection.close()
    connection.settings_dict["SHARES_CONNECTIONS"] = True
    yield
    del connection.settings_dict["SHARES_CONNECTIONS"]
    connection.close()
    assert IDLE.take("default") is None


def terminate_other_backends() -> None:
    with connect(connections.settings["default"]["HOST"]) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (connection.settings_dict["NAME"],),
        )


def test_a_row_is_fetched_with_its_types() -> None:
    for _ in range(3):
        assert fetch() == ("a", 42, None)
    assert fetch(ECHO, None, "1") == (None, 2, None)
    assert fetch("SELECT 1 WHERE %s = 'x'", "y") is None


@pytest.mark.usefixtures("sharing")
def test_a_row_is_fetched_on_a_connection_that_no_thread_keeps() -> None:
    assert fetch() == fetch() == ("a", 42, None)
    assert connection.connection is None
    kept = IDLE.take("default")
    assert kept is not None
    IDLE.give("default", kept)
    backend_id()
    assert connection.connection is kept, "the last one used is taken first"


@pytest.mark.usefixtures("sharing")
def test_a_read_survives_the_loss_of_every_connection() -> None:
    fetch()
    terminate_other_backends()
    assert fetch() == ("a", 42, None)


@pytest.mark.usefixtures("sharing")
def test_an_idle_connection_that_was_lost_is_not_written_on() -> None:
    first = backend_id()
    engine: Any = connection
    engine.release()
    assert connection.connection is None
    terminate_other_backends()
    assert backend_id() != first


@pytest.mark.usefixtures("sharing")
def test_a_connection_in_a_transaction_is_nobody_elses() -> None:
    engine: Any = connection
    with transaction.atomic():
        first = backend_id()
        engine.release()
        assert backend_id() == first
        assert fetch("SELECT pg_backend_pid() - %s::int", "0") == (first,), "it sees what the transaction wrote"


@pytest.mark.parametrize("drop", ["DEALLOCATE ALL", "ROLLBACK"])
def test_a_statement_that_the_server_forgot_is_prepared_anew(drop: str) -> None:
    fetch()
    backend_id()
    fetch()
    raw: psycopg.Connection[Any] = connection.connection
    raw.execute("BEGIN")
    raw.execute(drop)
    if drop != "ROLLBACK":
        raw.execute("COMMIT")
    assert fetch() == fetch() == ("a", 42, None)


def test_a_statement_whose_result_has_changed_is_prepared_anew() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE changing AS SELECT 1 AS one")
        assert fetch("SELECT * FROM changing WHERE %s = 'x'", "x") == (1,)
        assert fetch("SELECT * FROM changing WHERE %s = 'x'", "x") == (1,)
        cursor.execute("ALTER TABLE changing ADD COLUMN two text DEFAULT 'b'")
        assert fetch("SELECT * FROM changing WHERE %s = 'x'", "x") == (1, "b")
        cursor.execute("DROP TABLE changing")


@pytest.mark.usefixtures("sharing")
def test_a_statement_that_the_server_forgot_on_every_idle_connection_is_prepared_anew() -> None:
    fetch()
    kept = IDLE.take("default")
    assert kept is not None
    fetch()  # on another connection
    IDLE.give("default", kept)
    for idle in (IDLE.take("default"), IDLE.take("default")):
        assert idle is not None
        idle.execute("DEALLOCATE ALL")
        IDLE.give("default", idle)
    assert fetch() == ("a", 42, None)


def test_a_connection_that_is_not_shared_stays_the_threads() -> None:
    first = backend_id()
    engine: Any = connection
    engine.release()
    assert backend_id() == first
    assert IDLE.take("default") is None


@pytest.mark.usefixtures("sharing")
def test_errors_are_djangos_and_keep_the_connection() -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError):
            fetch("SELECT nothing_of_this_name FROM nowhere WHERE %s = 'x'", "x")
    assert fetch() == ("a", 42, None)


def test_a_text_that_libpq_would_cut_is_refused() -> None:
    fetch()
    with pytest.raises(DataError):
        fetch(ECHO, "a\0b", "41")
    assert fetch() == ("a", 42, None)
