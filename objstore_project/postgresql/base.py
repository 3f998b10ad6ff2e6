"""Django's PostgreSQL engine, with less to do for each statement, noticing at no cost that the server has closed.

Connections are kept for ever. After a restart of the server, each thread would fail one request before Django replaced
its connection; Django's health check avoids that with a round trip per request. A closed connection shows on its
socket, though: the farewell is there to be read. Looking at the socket costs a microsecond.

What Django does around a statement took longer than psycopg takes for it: 62 microseconds for the look-up of a version,
34 with what stands here. A third of the difference are times, which psycopg reads in C and Django in Python, to give
them the zone that its settings name. Here that zone is UTC, always, and so is the connection's.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg._preparing import Prepare
from psycopg.types.datetime import TimestamptzLoader

from objstore_project.postgresql.idle import IdleConnections
from objstore_project.postgresql.prepared import Connection, PreparedStatementLost, fetch_row

IDLE = IdleConnections()
"""The connections that no thread of this process is using now."""


class Cursor(CursorWrapper):
    """Django's cursor, calling psycopg's directly where nobody listens in."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        """Run a statement; errors are Django's."""
        if self.db.execute_wrappers:
            return super().execute(sql, params)
        self.db.validate_no_broken_transaction()
        with self.db.wrap_database_errors:
            return self.cursor.execute(sql, params)

    def close(self) -> None:
        """Let go of the result."""
        self.cursor.close()

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        with self.db.wrap_database_errors:
            return self.cursor.fetchone()

    def fetchall(self) -> Any:
        """Return all rows that are left."""
        with self.db.wrap_database_errors:
            return self.cursor.fetchall()


_ServerBindingCursor: Any = base.ServerBindingCursor  # its types leave out what psycopg's cursors share


class BlockingCursor(_ServerBindingCursor):  # type: ignore[misc]  # for the same reason
    """psycopg's cursor, which leaves all of a prepared statement's round trip to libpq.

    psycopg sends, waits and reads in steps, and lets go of the interpreter's lock in each: among busy threads it then
    queues for the lock five times a statement. libpq's own function does the three in one. The price: a signal that is
    to interrupt a thread is heard when the statement has ended.
    """

    def _maybe_prepare_gen(self, pgq: Any, *, prepare: bool | None = None, binary: bool | None = None) -> Any:
        prep, name = self._get_prepared(pgq, prepare)
        if prep is not Prepare.YES or self._conn.pgconn.pipeline_status:
            yield from super()._maybe_prepare_gen(pgq, prepare=prepare, binary=binary)
            return
        result_format = psycopg.pq.Format.BINARY if binary else psycopg.pq.Format.TEXT
        connection = self._conn.pgconn
        result = connection.exec_prepared(name, pgq.params, pgq.formats, result_format)
        if connection.status != psycopg.pq.ConnStatus.OK:
            # The outcome is unknown, and writers must hear it as that: no DatabaseError of the statement's.
            raise psycopg.OperationalError(result.error_message.decode("utf-8", "replace"))
        self._conn._prepared.maybe_add_to_cache(pgq, prep, name)  # noqa: SLF001  says that it was used, as psycopg does
        self._check_results([result])
        self._set_results([result])


class DatabaseWrapper(base.DatabaseWrapper):
    """Replace a connection whose server said something between two requests: nothing but a farewell comes unasked.

    Where the setting SHARES_CONNECTIONS is on, a thread has a connection only while it needs one: see `idle`.
    """

    def fetch_row(self, statement: str, values: Sequence[str | None]) -> tuple[Any, ...] | None:
        """Return the one row of a SELECT without side effects, or None; placeholders are %s, values are texts.

        Costs a third of what a cursor does: the statement is prepared at first use, and no cursor, query or description
        is made. Where the connection turns out to be lost, it is asked again on another one.
        """
        if self.connection is None and self.settings_dict.get("SHARES_CONNECTIONS"):
            return self._fetch_row_between(statement, values)
        if self.connection is None or self.in_atomic_block or self.execute_wrappers or self.queries_logged:
            with self.cursor() as cursor:
                cursor.execute(statement, values)
                row: tuple[Any, ...] | None = cursor.fetchone()
            return row
        with self.wrap_database_errors:
            try:
                return fetch_row(self.connection, statement, values)
            except PreparedStatementLost:
                return fetch_row(self.connection, statement, values)

    def call_row(self, statement: str, values: Sequence[str | None]) -> tuple[Any, ...] | None:
        """Return the one row of a statement that changes something, as cheaply as `fetch_row`; it commits by itself.

        It is never sent twice, but where the server says that it did not know the statement. A connection that is lost
        meanwhile is an OperationalError: what became of the change is unknown.
        """
        if self.in_atomic_block or self.execute_wrappers or self.queries_logged or not self.autocommit:
            with self.cursor() as cursor:
                cursor.execute(statement, values)
                row: tuple[Any, ...] | None = cursor.fetchone()
            return row
        with self.wrap_database_errors:
            if self.connection is None:
                self.connect()
            try:
                return fetch_row(self.connection, statement, values)
            except PreparedStatementLost:
                return fetch_row(self.connection, statement, values)

    def _fetch_row_between(self, statement: str, values: Sequence[str | None]) -> tuple[Any, ...] | None:
        """Use a connection for this statement alone, so that few are in use, and their server processes stay warm."""
        with self.wrap_database_errors:
            connection = IDLE.take(self.alias)
            if connection is not None:
                try:
                    row = fetch_row(connection, statement, values)
                except (PreparedStatementLost, psycopg.OperationalError):
                    connection.close()
                except BaseException:
                    IDLE.give(self.alias, connection)
                    raise
                else:
                    IDLE.give(self.alias, connection)
                    return row
            self.connect()  # a healthy one, or an error; what is prepared on it may be as old
            try:
                row = fetch_row(self.connection, statement, values)
            except PreparedStatementLost:
                row = fetch_row(self.connection, statement, values)
        self.release()
        return row

    def connect(self) -> None:
        """Take a connection that is idle and not lost, or make one."""
        while self.settings_dict.get("SHARES_CONNECTIONS") and (connection := IDLE.take(self.alias)) is not None:
            if is_lost(connection):
                connection.close()
                continue
            # What Django's own method does, but for the state that the connection has had since it was made.
            self.in_atomic_block = False
            self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []
            self.needs_rollback = self.closed_in_transaction = self.errors_occurred = False
            self.health_check_done = True
            self.close_at = None
            self.connection = connection
            self.autocommit = True
            return
        super().connect()

    def release(self) -> None:
        """Let others use this thread's connection, at the end of a request; one that is in doubt is kept for a look.

        Where connections are not shared, it stays the thread's.
        """
        connection = self.connection
        if connection is None or not self.settings_dict.get("SHARES_CONNECTIONS"):
            return
        if self.errors_occurred or self.in_atomic_block or not self.autocommit:
            return
        if connection.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE:
            self.connection = None
            IDLE.give(self.alias, connection)

    def close_if_unusable_or_obsolete(self) -> None:
        """Close the connection where the server has; Django calls this as each request and task begins and ends."""
        if self.connection is not None and not self.in_atomic_block and is_lost(self.connection):
            self.close()
            return
        super().close_if_unusable_or_obsolete()

    def get_connection_params(self) -> dict[str, Any]:
        """Name our cursor."""
        return {**super().get_connection_params(), "cursor_factory": BlockingCursor}

    def close(self) -> None:
        """Close this thread's connection, and those that no thread uses."""
        super().close()
        IDLE.close_all(self.alias)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; times are read by psycopg's compiled loader."""
        assert self.timezone_name == "UTC"
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return connection

    def cursor(self) -> Any:
        """Return a cursor, connecting where need be."""
        if self.connection is None or self.queries_logged:
            return super().cursor()
        with self.wrap_database_errors:
            return Cursor(self.connection.cursor(), self)

    def create_cursor(self, name: str | None = None) -> Any:
        """Return psycopg's cursor, with a name one on the server; as Django does, but for the loader of times."""
        if name is None:
            return self.connection.cursor()
        return self.connection.cursor(name, scrollable=False, withhold=self.connection.autocommit)

    def make_cursor(self, cursor: Any) -> Cursor:
        """Wrap psycopg's cursor."""
        return Cursor(cursor, self)


def is_lost(connection: Connection) -> bool:
    """Tell whether the server has closed a connection, or a failure has; that one has no socket to look at any more."""
    try:
        return has_unread_input(connection.fileno())
    except psycopg.OperationalError:
        return True


def has_unread_input(descriptor: int) -> bool:
    """Tell whether a read would not block: the peer sent something, or closed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
