"""AMQP 0-9-1 (RabbitMQ): each event is a persistent message, confirmed by the broker.

A message that the broker can route to no queue is refused and not lost: it is published as mandatory.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import SplitResult, urlsplit

from amqp.exceptions import AMQPError, MessageNacked
from kombu import Connection, Exchange, Producer
from kombu.exceptions import KombuError, OperationalError

from accesscontrol.outbound import OutboundRefused, judged_address
from events.errors import EventRefused, TargetMisconfigured, TargetUnavailable
from events.senders.protocol import TIMEOUT_SECONDS, Message, Settings

_SCHEMES = ("amqp://", "amqps://")


def check_settings(settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work."""
    if not settings.get("url", "").startswith(_SCHEMES) or not _parts(settings["url"]).hostname:
        raise TargetMisconfigured("an AMQP target is at amqp:// or amqps://")
    if not (settings.get("exchange") or settings.get("routing_key")):
        raise TargetMisconfigured("an AMQP target needs an exchange, or the name of a queue as its routing key")


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise TargetMisconfigured(str(error)) from None
    return parts


def _judged_url(url: str) -> str:
    """Return the URL with the address that was judged in the place of the host. Raises TargetUnavailable."""
    parts = urlsplit(url)
    port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
    try:
        address = judged_address(str(parts.hostname), port)
    except (OutboundRefused, OSError) as error:
        raise TargetUnavailable(str(error)) from None
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if ":" in address else address
    # py-amqp alone, which waits for confirmations.
    return parts._replace(scheme="pyamqp", netloc=f"{user}{at}{host}:{port}").geturl()


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
            _judged_url(settings["url"]),
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
