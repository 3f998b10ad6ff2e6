"""Apply committed changes to a database: the same rows as before, in the same order, transaction by transaction.

Applying a change a second time does no harm: a row is told by its primary key, inserted or replaced, and a transaction that
was applied is skipped by its position. A transaction whose end is missing is not applied at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from psycopg.sql import SQL, Composed, Identifier, Placeholder

from audit.row_text import MESSAGE_PREFIX, unpack
from journal import pgoutput
from journal.pgoutput import (
    ApplicationMessage,
    Begin,
    Commit,
    Delete,
    Insert,
    Message,
    Relation,
    Truncate,
    Update,
    Value,
)
from journal.tables import Connection, Table, list_tables

# How many changes wait in memory before they go to the server; a larger transaction goes in pieces.
BATCH_CHANGES = 2_000
_PIECE = SQL("SAVEPOINT piece")


class ChangesMissing(Exception):
    """Something between this and the changes before is not there."""


@dataclass(slots=True)
class Applied:
    """What was applied, and what could not be."""

    lsn: int
    last_commit_at: datetime | None = None
    transactions: int = 0
    changes: int = 0
    without_table: int = 0  # changes to tables that this release does not have


@dataclass(slots=True)
class Replay:
    """Takes the messages of segments in order. `until`: the first commit after that time ends it."""

    connection: Connection
    applied: Applied
    until: datetime | None = None
    is_over: bool = False
    _tables: dict[str, Table] = field(default_factory=dict)
    _relations: dict[int, Relation] = field(default_factory=dict)
    _statements: list[tuple[str, list[str | None]]] = field(default_factory=list)
    _texts: dict[tuple[Any, ...], str] = field(default_factory=dict)
    _is_open: bool = False  # a transaction of the journal has begun
    _is_skipped: bool = False
    _has_piece: bool = False  # some of it is with the server already

    def __post_init__(self) -> None:
        self.read_tables()

    def read_tables(self) -> None:
        """Read what tables there are; again whenever a migration was applied."""
        self._tables = {table.name: table for table in list_tables(self.connection)}
        self._texts.clear()

    @property
    def is_in_transaction(self) -> bool:
        """Whether the last transaction has not ended yet."""
        return self._is_open

    def knows(self, name: str, columns: Sequence[str]) -> bool:
        """Tell whether the database has a table with all of the columns."""
        table = self._tables.get(name)
        return table is not None and set(columns) <= set(table.columns)

    def take(self, message: Message) -> None:
        """Apply the next message. ChangesMissing where it cannot follow the one before; the database's errors."""
        if isinstance(message, Begin):
            self._begin(message)
        elif isinstance(message, Relation):
            self._relations[message.relation_id] = message
        elif not self._is_open:
            raise ChangesMissing("changes without the beginning of their transaction")
        elif isinstance(message, Commit):
            self._commit(message)
        elif not self._is_skipped:
            self._change(message)

    def _begin(self, begin: Begin) -> None:
        self.abandon()  # the writer was killed in the middle; here it begins again
        if self.until is not None and begin.committed_at > self.until:
            self.is_over = True
            return
        self._is_open, self._is_skipped = True, begin.commit_lsn < self.applied.lsn
        self._statements.append(("", []))  # marks where it begins

    def _first_of_transaction(self) -> int:
        return max((at for at, (text, _) in enumerate(self._statements) if not text), default=0)

    def _commit(self, commit: Commit) -> None:
        self._is_open = False
        self._has_piece = False
        if self._is_skipped:
            return
        self.applied.lsn = max(self.applied.lsn, commit.end_lsn)
        self.applied.last_commit_at = commit.committed_at
        self.applied.transactions += 1
        if len(self._statements) >= BATCH_CHANGES:
            self._send()

    def _change(self, change: Message) -> None:
        self.applied.changes += 1
        if isinstance(change, Insert):
            described = self._relations[change.relation_id]
            self._insert(described.name, described.columns, change.new)
        elif isinstance(change, Update):
            self._update(self._relations[change.relation_id], change)
        elif isinstance(change, Delete):
            self._delete(self._relations[change.relation_id], change.old)
        elif isinstance(change, ApplicationMessage):
            self._insert_batch(change)
        elif isinstance(change, Truncate):
            for relation_id in change.relation_ids:
                relation = self._relations.get(relation_id)
                if relation is not None and relation.name in self._tables:
                    self._add(("truncate", relation.name), SQL("TRUNCATE {}").format(Identifier(relation.name)), [])
        if len(self._statements) >= 2 * BATCH_CHANGES:
            self._send_piece()

    def _insert_batch(self, message: ApplicationMessage) -> None:
        if message.prefix != MESSAGE_PREFIX:
            return
        try:
            batch = unpack(message.content)
            for row in batch.rows():
                self._insert(batch.table, batch.columns, row)
        except ValueError as error:
            raise ChangesMissing(f"a batch of rows cannot be read: {error}") from error

    def _insert(self, name: str, columns: Sequence[str], new: Sequence[Value]) -> None:
        table = self._tables.get(name)
        if table is None:
            self.applied.without_table += 1
            return
        row = _known(pgoutput.names_of(columns, new), table)
        self._add(("insert", table.name, *row), _insert_statement(table, list(row)), list(row.values()))

    def _update(self, relation: Relation, update: Update) -> None:
        table = self._tables.get(relation.name)
        if table is None:
            self.applied.without_table += 1
            return
        row = _known(pgoutput.names_of(relation.columns, update.new), table)
        key = _key(relation, update.new if update.old is None else update.old, table)
        self._add(
            ("update", table.name, *row, "", *_null_shape(key)),
            _update_statement(table.name, list(row), key),
            [*row.values(), *(value for value in key.values() if value is not None)],
        )

    def _delete(self, relation: Relation, old: Sequence[Value]) -> None:
        table = self._tables.get(relation.name)
        if table is None:
            self.applied.without_table += 1
            return
        key = _key(relation, old, table)
        self._add(
            ("delete", table.name, *_null_shape(key)),
            SQL("DELETE FROM {} WHERE {}").format(Identifier(table.name), _condition(key)),
            [value for value in key.values() if value is not None],
        )

    def _add(self, shape: tuple[Any, ...], statement: Composed, values: list[str | None]) -> None:
        text = self._texts.get(shape)
        if text is None:
            text = self._texts[shape] = statement.as_string(self.connection)
        self._statements.append((text, values))

    def abandon(self) -> None:
        """Let go of a transaction that has no end."""
        if self._has_piece:
            self._take_back_piece()
        elif self._is_open:
            del self._statements[self._first_of_transaction() :]
        self._is_open = False

    def flush(self) -> None:
        """Apply the whole transactions that wait; only between transactions."""
        assert not self._is_open
        self._send()

    def finish(self) -> None:
        """Apply what waits, and let go of a transaction that has no end."""
        self.abandon()
        self._send()

    def _take_back_piece(self) -> None:
        self.connection.execute("ROLLBACK TO SAVEPOINT piece")
        self._statements.clear()
        self._has_piece = False

    def _send(self) -> None:
        """Apply all that waits, which are whole transactions, and commit."""
        self._execute(self._statements)
        self._statements.clear()
        if self.connection.info.transaction_status.name != "IDLE":
            self.connection.execute("COMMIT")

    def _send_piece(self) -> None:
        """Apply what waits of a transaction that has not ended, so that all of it can be taken back."""
        if not self._has_piece:
            first = self._first_of_transaction()
            piece = self._statements[first:]
            del self._statements[first:]
            self._send()
            self.connection.execute("BEGIN")
            self.connection.execute(_PIECE)
            self._statements, self._has_piece = piece, True
        self._execute(self._statements)
        self._statements.clear()

    def _execute(self, statements: Sequence[tuple[str, list[str | None]]]) -> None:
        real = [statement for statement in statements if statement[0]]
        if not real:
            return
        if self.connection.info.transaction_status.name == "IDLE":
            self.connection.execute("BEGIN")
        with self.connection.pipeline(), self.connection.cursor() as cursor:
            for text, group in groupby(real, key=lambda statement: statement[0]):
                cursor.executemany(text, [values for _, values in group])


def _known(row: dict[str, str | None], table: Table) -> dict[str, str | None]:
    return {column: value for column, value in row.items() if column in table.columns}


def _key(relation: Relation, values: Sequence[Value], table: Table) -> dict[str, str | None]:
    """Return what tells the row apart: the primary key, or all that is known."""
    row = pgoutput.names_of(relation.columns, values)
    names = table.key_columns or relation.key_columns or relation.columns
    return {name: row[name] for name in names if name in row and name in table.columns}


def _null_shape(key: dict[str, str | None]) -> tuple[Any, ...]:
    return tuple((name, value is None) for name, value in key.items())


def _insert_statement(table: Table, columns: Sequence[str]) -> Composed:
    statement = SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        Identifier(table.name),
        SQL(", ").join(map(Identifier, columns)),
        SQL(", ").join([Placeholder()] * len(columns)),
    )
    if not table.key_columns:
        return statement
    others = [column for column in columns if column not in table.key_columns]
    replace = SQL("UPDATE SET {}").format(
        SQL(", ").join(SQL("{0} = EXCLUDED.{0}").format(Identifier(column)) for column in others)
    )
    return SQL("{} ON CONFLICT ({}) DO {}").format(
        statement, SQL(", ").join(map(Identifier, table.key_columns)), replace if others else SQL("NOTHING")
    )


def _update_statement(table: str, columns: Sequence[str], key: dict[str, str | None]) -> Composed:
    changes = SQL(", ").join(SQL("{} = {}").format(Identifier(column), Placeholder()) for column in columns)
    return SQL("UPDATE {} SET {} WHERE {}").format(Identifier(table), changes, _condition(key))


def _condition(key: dict[str, str | None]) -> Composed:
    return SQL(" AND ").join(
        SQL("{} IS NULL").format(Identifier(name))
        if value is None
        else SQL("{} = {}").format(Identifier(name), Placeholder())
        for name, value in key.items()
    )
