"""The database engine replaces connections that the server closed, and keeps the others."""

from __future__ import annotations

import pytest
from django.db import connection, connections

from objstore_project.supervisor.postgresql import connect

pytestmark = pytest.mark.django_db(transaction=True)


def backend_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_that_the_server_closed_is_replaced_before_the_next_request() -> None:
    first = backend_id()
    with connect(connections.settings["default"]["HOST"]) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))
    connection.close_if_unusable_or_obsolete()
    assert backend_id() != first


def test_a_connection_in_use_is_kept() -> None:
    first = backend_id()
    connection.close_if_unusable_or_obsolete()
    assert backend_id() == first


def test_statements_are_bound_by_the_server_and_prepared() -> None:
    for _ in range(4):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s::int + 41", [1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%+ 41'")
        assert cursor.fetchone()[0] == 1


def test_the_server_orders_texts_by_their_bytes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'B' < 'a', lower('Ä') = 'ä'")
        assert cursor.fetchone() == (True, True)
