"""How a bucket's configuration names a target: `arn:objstore:SERVICE::NAME:KIND`, SERVICE being sqs, sns or lambda.

S3 has three lists of destinations, and clients look at the service in the name; here each target may stand in each of
them, under the name that fits. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class TargetKind(StrEnum):
    """How a target is reached."""

    WEBHOOK = "webhook"
    REDIS = "redis"
    AMQP = "amqp"


class Service(StrEnum):
    """Which of S3's lists a name stands in."""

    QUEUE = "sqs"
    TOPIC = "sns"
    FUNCTION = "lambda"


@dataclass(frozen=True, slots=True)
class TargetName:
    """A target as a configuration names it."""

    service: Service
    name: str
    kind: TargetKind

    @property
    def arn(self) -> str:
        """Render the name."""
        return f"arn:objstore:{self.service}::{self.name}:{self.kind}"


NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}"
_ARN = re.compile(rf"arn:objstore:(sqs|sns|lambda):[a-z0-9-]*:({NAME_PATTERN}):(webhook|redis|amqp)")


def parse_arn(arn: str) -> TargetName | None:
    """Read a name, with a region or without; None for what is none."""
    matched = _ARN.fullmatch(arn)
    if matched is None:
        return None
    return TargetName(Service(matched[1]), matched[2], TargetKind(matched[3]))
