from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.db import DataError, OperationalError, connection, transaction

TIMES_UNTIL_PREPARED = 4


def ask(statement: str, *parameters: object) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()


@pytest.mark.django_db
def test_values_are_the_same_before_and_after_a_statement_is_prepared():
    moment = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
    identity = uuid.uuid4()
    for _ in range(TIMES_UNTIL_PREPARED):
        row = ask("SELECT %s::timestamptz, %s::uuid, %s::smallint[], %s::text", moment, identity, [1, 2], None)
        assert row == (moment, identity, [1, 2], None)
        assert row[0].tzinfo is UTC


@pytest.mark.django_db
def test_a_prepared_statement_that_fails_raises_djangos_error_and_can_be_run_again():
    for _ in range(TIMES_UNTIL_PREPARED):
        assert ask("SELECT 1 / %s::int", 1) == (1,)
    with pytest.raises(DataError), transaction.atomic():
        ask("SELECT 1 / %s::int", 0)
    assert ask("SELECT 1 / %s::int", 1) == (1,)


@pytest.mark.django_db(transaction=True)
def test_a_prepared_statement_whose_connection_breaks_has_an_unknown_outcome():
    (process_id,) = ask("SELECT pg_backend_pid()")
    for _ in range(TIMES_UNTIL_PREPARED):
        ask("SELECT pg_terminate_backend(%s)", 0)
    with pytest.raises(OperationalError):
        ask("SELECT pg_terminate_backend(%s)", process_id)
    connection.close()
    assert ask("SELECT 1") == (1,)
