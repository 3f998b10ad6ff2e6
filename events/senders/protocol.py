"""The port that deliveries go through; `tests/contract/test_event_senders.py` holds every implementation to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

TIMEOUT_SECONDS = 10.0
"""How long a target may take for one step."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is sent: its id for telling repetitions, its name and object, its document as JSON."""

    id: str
    event_name: str
    bucket_name: str
    key: str
    body: bytes


class Sender(Protocol):
    """An open way to a target; not shared between threads."""

    def send(self, message: Message) -> None:
        """Hand over one event; once this returns, the target has it.

        Raises TargetUnavailable when nothing gets through, EventRefused when this event doesn't.
        """

    def close(self) -> None:
        """Let the connection go."""


Settings = Mapping[str, str]
