"""Structured logs: one event a line, as text for people or as JSON for machines, each with its request id.

The endpoint sets `request_id` for the time of a request; every line logged meanwhile carries it. Lines go to standard
error, where the supervisor, systemd or a container runtime takes them up.
"""

from __future__ import annotations

import json
import logging
import time
from contextvars import ContextVar
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

# The attributes of every record; what else a record has came with `extra` and is part of the event.
STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request_id"}


def event_members(record: logging.LogRecord) -> dict[str, Any]:
    """Return the members that the caller gave with `extra`, and the request id where there is one."""
    members = {name: value for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES}
    current = getattr(record, "request_id", "") or request_id.get()
    if current:
        members["request_id"] = current
    # Django's own request records carry the request object, which says nothing in a line.
    members.pop("request", None)
    return members


def utc_time(record: logging.LogRecord) -> str:
    """Return the record's time as RFC 3339 with milliseconds."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message key=value`, the traceback on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        members = "".join(f" {name}={value}" for name, value in event_members(record).items())
        message = record.getMessage().replace("\n", "\n    ")
        line = f"{utc_time(record)} {record.levelname:<7} {record.name}: {message}{members}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record; what JSON does not know becomes text."""
        event = {
            "time": utc_time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **event_members(record),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str, ensure_ascii=False)


def logging_configuration(log_format: str, level: str) -> dict[str, Any]:
    """Return the `dictConfig` of every process, granian's and Celery's loggers included."""
    formatter = "JsonFormatter" if log_format == "json" else "TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": {"()": f"objstore_project.logging.{formatter}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": level.upper()},
        "loggers": {
            # What a remote node's connection dies of is told by the engine, once.
            "paramiko": {"level": "CRITICAL"},
            # A line for each wake-up, several times a minute; what a duty did, it says itself.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            # Their own handlers would print each line a second time.
            "_granian": {"handlers": [], "propagate": True, "level": "WARNING"},
            "granian.access": {"handlers": [], "propagate": True},
            "django": {"handlers": [], "propagate": True},
            "django.server": {"handlers": [], "propagate": True},
            # Each 4xx answer would be a line: clients probe for keys that do not exist all day.
            "django.request": {"handlers": [], "propagate": True, "level": "ERROR"},
        },
    }
