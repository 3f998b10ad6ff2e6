"""Django's PostgreSQL engine, noticing at no cost that the server has closed a kept connection.

Connections are kept for ever. After a restart of the server, each thread would fail one request before Django replaced
its connection; Django's health check avoids that with a round trip per request. A closed connection shows on its
socket, though: the farewell is there to be read. Looking at the socket costs a microsecond.
"""

from __future__ import annotations

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Replace a connection whose server said something between two requests: nothing but a farewell comes unasked."""

    def close_if_unusable_or_obsolete(self) -> None:
        """Close the connection where the server has; Django calls this as each request and task begins and ends."""
        if self.connection is not None and not self.in_atomic_block and is_lost(self.connection):
            self.close()
            return
        super().close_if_unusable_or_obsolete()


def is_lost(connection: psycopg.Connection[Any]) -> bool:
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
