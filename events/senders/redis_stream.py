"""Redis and Valkey: each event is an entry of a stream, with the fields id, event, bucket, key and body."""

from __future__ import annotations

from typing import Any

import redis

from events.errors import EventRefused, TargetMisconfigured, TargetUnavailable
from events.senders.protocol import TIMEOUT_SECONDS, Message, Settings


def check_settings(settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work."""
    if not settings.get("stream"):
        raise TargetMisconfigured("a Redis target needs the name of a stream")
    try:
        redis.ConnectionPool.from_url(settings.get("url", ""))
    except ValueError as error:
        raise TargetMisconfigured(str(error)) from None


class RedisStreamSender:
    """Adds entries to a stream; nothing is trimmed, as what is not read yet would be lost."""

    def __init__(self, settings: Settings) -> None:
        self._stream = settings["stream"]
        self._client = redis.Redis.from_url(
            settings["url"], socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )

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
        except redis.exceptions.ReadOnlyError as error:
            raise TargetUnavailable(str(error)) from error
        except redis.ResponseError as error:
            if str(error).startswith(("OOM", "MISCONF", "MASTERDOWN", "NOREPLICAS")):
                raise TargetUnavailable(str(error)) from error
            raise EventRefused(str(error)) from error

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
