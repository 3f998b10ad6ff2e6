"""Write a change's row in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import connection, transaction

from audit.draft import COLUMNS, AuditDraft

_NAMES = ", ".join(COLUMNS)
_CASTS = [f"%s::{kind}" for kind in COLUMNS.values()]
_VERSION = list(COLUMNS).index("version_id")

INSERT_ROW = f"INSERT INTO audit_auditevent ({_NAMES}) VALUES ({', '.join(_CASTS)})"  # noqa: S608  constants

SUCCESS_OF_METHOD = {"DELETE": 204}


@contextmanager
def change(draft: AuditDraft | None) -> Iterator[None]:
    """Make a block one transaction that writes the draft's row before it commits, unless a part of it has written it."""
    if draft is None:
        yield
        return
    with transaction.atomic():
        yield
        if not draft.is_written:
            write_row(draft)
    draft.is_written = True


def write_row(draft: AuditDraft) -> None:
    """Insert a draft's row, on its way to success unless it says otherwise. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ROW, changed_values(draft))


def changed_values(draft: AuditDraft) -> list[str | None]:
    """Return the row of a change that is about to be committed."""
    if not draft.status:
        draft.status = SUCCESS_OF_METHOD.get(draft.method, 200)
    return draft.values()


@lru_cache(maxsize=64)
def audited_statement(statement: str, condition: str, version_id: str) -> str:
    """Return a statement that writes an audit row if what it does comes about, in the same round trip.

    `statement` answers one row; `condition` says of that row's columns whether something has changed, `version_id` what
    the row is about. Its parameters are followed by `audited_parameters`.
    """
    casts = list(_CASTS)
    casts[_VERSION] = f"coalesce({version_id}, {casts[_VERSION]})"
    return (
        f"WITH changed AS MATERIALIZED ({statement}), "  # noqa: S608  constants
        f"audited AS (INSERT INTO audit_auditevent ({_NAMES}) SELECT {', '.join(casts)} FROM changed WHERE {condition}) "
        f"SELECT changed.*, ({condition}) FROM changed"
    )


def audited_statement_of_many(statement: str, condition: str, told: Mapping[str, str]) -> str:
    """Return a statement that writes an audit row for each of its rows that has changed something, in the same round trip.

    `told` are the columns that a row of `changed` says itself, as expressions of it; the others are the named parameters of
    `audited_parameters_of_many`, beside the statement's own.
    """
    values = ", ".join(told.get(name, f"%(audit_{name})s::{kind}") for name, kind in COLUMNS.items())
    return (
        f"WITH changed AS MATERIALIZED ({statement}), "  # noqa: S608  constants
        f"audited AS (INSERT INTO audit_auditevent ({_NAMES}) SELECT {values} FROM changed WHERE {condition}) "
        "SELECT changed.* FROM changed"
    )


def audited_parameters_of_many(draft: AuditDraft) -> dict[str, str | None]:
    """Return what all rows of such a statement have in common."""
    return {f"audit_{name}": value for name, value in zip(COLUMNS, changed_values(draft), strict=True)}


def audited_parameters(parameters: Sequence[Any], draft: AuditDraft) -> list[Any]:
    """Return the parameters of an audited statement."""
    return [*parameters, *changed_values(draft)]
