"""Connections of the journal's own, beside Django's: for replication, for snapshots, for restoring.

Values travel as the texts that PostgreSQL prints; these settings make them the same whatever the server's are.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.conninfo import make_conninfo
from psycopg.types.string import StrDumperUnknown

from journal.tables import Connection

_PRINTING = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC -c bytea_output=hex"
_DJANGOS_OWN = {"server_side_binding", "prepare_threshold", "cursor_factory", "context", "isolation_level", "pool"}


def conninfo(*, is_replication: bool = False, using: str = DEFAULT_DB_ALIAS) -> str:
    """Return how to reach the database."""
    settings: dict[str, Any] = connections[using].settings_dict
    options = {name: value for name, value in settings["OPTIONS"].items() if name not in _DJANGOS_OWN}
    parameters = {
        "dbname": settings["NAME"],
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        **options,
        "options": f"{options.get('options', '')} {_PRINTING}".strip(),
        "application_name": "objstore journal",
    }
    if is_replication:
        parameters["replication"] = "database"
    return make_conninfo("", **{name: value for name, value in parameters.items() if value not in {"", None}})


def connect(*, using: str = DEFAULT_DB_ALIAS) -> Connection:
    """Open a connection on which each statement is a transaction, until one is begun."""
    return psycopg.connect(conninfo(using=using), autocommit=True)


def connect_to_restore(*, using: str = DEFAULT_DB_ALIAS) -> Connection:
    """Open a connection on which the server says what type a text is of, as changes of any table need."""
    connection = psycopg.connect(conninfo(using=using), autocommit=True)
    connection.adapters.register_dumper(str, StrDumperUnknown)
    connection.execute("SET synchronous_commit = off")
    return connection
