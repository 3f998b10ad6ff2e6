"""The ways to targets, by kind; `Sender` is the port."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from events.arns import TargetKind
from events.senders import amqp, redis_stream, webhook
from events.senders.protocol import Message, Sender, Settings

__all__ = ["CONCURRENCY", "Message", "Sender", "Settings", "check_settings", "open_sender"]

_OPEN: dict[TargetKind, Callable[[Settings], Sender]] = {
    TargetKind.WEBHOOK: webhook.WebhookSender,
    TargetKind.REDIS: redis_stream.RedisStreamSender,
    TargetKind.AMQP: amqp.AmqpSender,
}
_CHECKS: dict[TargetKind, ModuleType] = {
    TargetKind.WEBHOOK: webhook,
    TargetKind.REDIS: redis_stream,
    TargetKind.AMQP: amqp,
}

CONCURRENCY = {TargetKind.WEBHOOK: 8, TargetKind.REDIS: 1, TargetKind.AMQP: 1}
"""How many senders work at a time: a webhook's server is waited for, the others answer at once."""


def open_sender(kind: TargetKind, settings: Settings) -> Sender:
    """Return a way to a target. Raises TargetUnavailable."""
    return _OPEN[kind](settings)


def check_settings(kind: TargetKind, settings: Settings) -> None:
    """Raise TargetMisconfigured for settings that can't work. Connects to nothing."""
    _CHECKS[kind].check_settings(settings)
