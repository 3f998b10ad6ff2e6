"""Redis and Valkey: each event is an entry of a stream, with the fields id, event, bucket, key and body."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import redis

from accesscontrol.outbound import OutboundRefused, connect, require_local
from events.errors import EventRefused, TargetMisconfigured, TargetUnavailable
from events.senders.protocol import TIMEOUT_SECONDS, Message, Settings


def check_settings(settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work."""
    if not settings.get("stream"):
        raise TargetMisconfigured("a Redis target needs the name of a stream")
    try:
        _pool(settings.get("url", ""))
    except ValueError as error:
        raise TargetMisconfigured(str(error)) from None


class _JudgedConnection(redis.Connection):
    """A connection to an address that was judged."""

    def _connect(self) -> socket.socket:
        opened = connect(self.host, int(self.port), timeout_seconds=TIMEOUT_SECONDS)
        opened.settimeout(TIMEOUT_SECONDS)
        return opened


class _JudgedTlsConnection(redis.SSLConnection):
    """Likewise; the certificate is checked against the name."""

    def _connect(self) -> Any:
        opened = connect(self.host, int(self.port), timeout_seconds=TIMEOUT_SECONDS)
        return self._wrap_socket_with_ssl(opened)  # type: ignore[no-untyped-call]  # redis is half typed


_CONNECTIONS: dict[str, type[Any]] = {"redis": _JudgedConnection, "rediss": _JudgedTlsConnection}


def _pool(url: str) -> redis.ConnectionPool:
    """Return where connections come from, none of them open. Raises ValueError for another kind of URL."""
    scheme = urlsplit(url).scheme
    chosen = {"connection_class": _CONNECTIONS[scheme]} if scheme in _CONNECTIONS else {}
    return redis.ConnectionPool.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, **chosen
    )


class RedisStreamSender:
    """Adds entries to a stream; nothing is trimmed, as what is not read yet would be lost."""

    def __init__(self, settings: Settings) -> None:
        self._stream = settings["stream"]
        if settings["url"].startswith("unix://"):
            try:
                require_local()
            except OutboundRefused as error:
                raise TargetUnavailable(str(error)) from None
        self._client = redis.Redis(connection_pool=_pool(settings["url"]))

    def send(self, message: Message) -> None:
        """Add an entry."""
        entry: dict[Any, Any] = {
            "id": message.id,
            "event": message.event_name,
            "bucket": message.bucket_name,
            "key": message.key,
            "body": message.body,
        }
        try:
            self._client.xadd(self._stream, entry)
        except (redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError, OSError) as error:
            raise TargetUnavailable(str(error)) from error
        except (OutboundRefused, redis.exceptions.ReadOnlyError) as error:
            raise TargetUnavailable(str(error)) from error
        except redis.ResponseError as error:
            if str(error).startswith(("OOM", "MISCONF", "MASTERDOWN", "NOREPLICAS")):
                raise TargetUnavailable(str(error)) from error
            raise EventRefused(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.connection_pool.disconnect()
