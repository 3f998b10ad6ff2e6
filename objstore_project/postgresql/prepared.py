"""One row by a prepared statement, with nothing between the caller and libpq.

psycopg's cursor looks up a loader for every column of every result, and makes a query, a description and more. The hot
path has a few statements that never change: here each is prepared once on a connection, with the loaders of its columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer as _AnyTransformer

Transformer: Any = _AnyTransformer  # compiled, and declared as a variable
Connection: TypeAlias = psycopg.Connection[Any]

_PREPARED = "_objstore_prepared"
_TUPLES = pq.ExecStatus.TUPLES_OK
# A rollback makes psycopg drop all prepared statements; a migration may change what one returns.
_LOST_STATES = frozenset({"26000", "0A000"})
_numbers = itertools.count()


class PreparedStatementLost(Exception):
    """The server does not know the statement any more, or not in this form; asked again, it is prepared anew."""


def fetch_row(connection: Connection, statement: str, values: Sequence[str | None]) -> tuple[Any, ...] | None:
    """Return the first row, or None. The connection is nobody else's meanwhile. psycopg's errors."""
    known: dict[str, tuple[bytes, Any]] | None = connection.__dict__.get(_PREPARED)
    found = None if known is None else known.get(statement)
    if found is None:
        return _prepare_and_fetch_row(connection, statement, values)
    name, transformer = found
    texts: Any = [None if text is None else text.encode() for text in values]
    if any(text is not None and 0 in text for text in texts):  # libpq would take what stands before for the whole
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    result = connection.pgconn.exec_prepared(name, texts)
    if result.status != _TUPLES:
        raise _error(connection, result)
    if result.ntuples == 0:
        return None
    transformer.set_pgresult(result, set_loaders=False)
    row: tuple[Any, ...] = transformer.load_row(0, tuple)
    return row


def _prepare_and_fetch_row(
    connection: Connection, statement: str, values: Sequence[str | None]
) -> tuple[Any, ...] | None:
    known = connection.__dict__.setdefault(_PREPARED, {})
    name = b"objstore_%d" % next(_numbers)
    pgconn = connection.pgconn
    result = pgconn.prepare(name, _numbered(statement).encode())
    if result.status != pq.ExecStatus.COMMAND_OK:
        raise _error(connection, result)
    described = pgconn.describe_prepared(name)
    transformer = Transformer(connection)
    transformer.set_pgresult(described)
    known[statement] = (name, transformer)
    return fetch_row(connection, statement, values)


def _numbered(statement: str) -> str:
    """Write placeholders as the server counts them."""
    numbers = itertools.count(1)
    pieces = statement.split("%s")
    return pieces[0] + "".join(f"${next(numbers)}{piece}" for piece in pieces[1:])


def _error(connection: Connection, result: pq.abc.PGresult) -> Exception:
    if connection.pgconn.status != pq.ConnStatus.OK:
        return psycopg.OperationalError(result.error_message.decode("utf-8", "replace"))
    error = psycopg.errors.error_from_result(result)
    if error.sqlstate in _LOST_STATES:
        connection.__dict__.pop(_PREPARED, None)
        return PreparedStatementLost(str(error))
    return error
