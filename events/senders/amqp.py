"""AMQP 0-9-1 (RabbitMQ): each event is a persistent message, confirmed by the broker.

A message that the broker can route to no queue is refused and not lost: it is published as mandatory.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from amqp.exceptions import AMQPError, MessageNacked
from kombu import Connection, Exchange, Producer
from kombu.exceptions import KombuError, OperationalError

from events.errors import EventRefused, TargetMisconfigured, TargetUnavailable
from events.senders.protocol import TIMEOUT_SECONDS, Message, Settings

_SCHEMES = ("amqp://", "amqps://")


def check_settings(settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work."""
    if not settings.get("url", "").startswith(_SCHEMES):
        raise TargetMisconfigured("an AMQP target is at amqp:// or amqps://")
    if not (settings.get("exchange") or settings.get("routing_key")):
        raise TargetMisconfigured("an AMQP target needs an exchange, or the name of a queue as its routing key")


def _tls(url: str) -> dict[str, Any] | bool:
    """Return how to encrypt the connection: against a trusted certificate of the host's name."""
    if not url.startswith("amqps://"):
        return False
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": urlsplit(url).hostname}


class AmqpSender:
    """Publishes over one connection."""

    def __init__(self, settings: Settings) -> None:
        self._exchange = Exchange(settings.get("exchange", ""), no_declare=True)
        self._routing_key = settings.get("routing_key", "")
        self._returned: list[str] = []
        self._connection = Connection(
            # py-amqp alone, which waits for confirmations.
            settings["url"].replace("amqp://", "pyamqp://", 1).replace("amqps://", "pyamqp://", 1),
            ssl=_tls(settings["url"]),
            connect_timeout=TIMEOUT_SECONDS,
            transport_options={
                "confirm_publish": True,
                "read_timeout": TIMEOUT_SECONDS,
                "write_timeout": TIMEOUT_SECONDS,
                "max_retries": 0,
            },
        )
        self._producer: Producer | None = None

    def send(self, message: Message) -> None:
        """Publish an event and wait until the broker has it."""
        try:
            if self._producer is None:
                self._producer = Producer(self._connection.channel(), self._exchange, on_return=self._note_return)
            self._returned.clear()
            self._producer.publish(
                message.body,
                routing_key=self._routing_key,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
                mandatory=True,
                message_id=message.id,
                headers={"event": message.event_name, "bucket": message.bucket_name, "key": message.key},
                timeout=TIMEOUT_SECONDS,
                confirm_timeout=TIMEOUT_SECONDS,
            )
        except MessageNacked as error:
            raise TargetUnavailable("the broker did not take the message") from error
        except (AMQPError, KombuError, OperationalError, OSError) as error:
            self.close()
            raise TargetUnavailable(str(error) or type(error).__name__) from error
        if self._returned:
            raise EventRefused(f"the broker has no queue for it: {self._returned[0]}")

    def _note_return(self, exception: Any, *_: Any) -> None:
        self._returned.append(str(exception))

    def close(self) -> None:
        """Close the connection."""
        self._producer = None
        self._connection.release()
