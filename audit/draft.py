"""The draft of an audit row: what is known of a request so far, filled in as it passes the steps that serve it.

Each thread has the draft of the request (or command) that it serves at hand (`current`), so that whatever commits a
change can write the row along with it. Not for: writing (`services`).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from accesscontrol.policy import Decision
from accesscontrol.principal import Principal

USER_AGENT_LENGTH_MAX = 512
REFERER_LENGTH_MAX = 1_024
REQUEST_URI_LENGTH_MAX = 4_096
REASON_LENGTH_MAX = 512
TRACE_MATCHES_MAX = 20
DECISIONS_MAX = 8

COLUMNS = {
    "at": "timestamptz",
    "request_id": "text",
    "source": "text",
    "operation": "text",
    "action": "text",
    "account_id": "text",
    "principal": "text",
    "access_key_id": "text",
    "bucket": "text",
    "key": "text",
    "version_id": "text",
    "owner_id": "text",
    "outcome": "text",
    "reason": "text",
    "trace": "jsonb",
    "source_ip": "text",
    "user_agent": "text",
    "status": "int",
    "error_code": "text",
    "bytes_in": "bigint",
    "bytes_out": "bigint",
    "object_bytes": "bigint",
    "duration_us": "bigint",
    "method": "text",
    "request_uri": "text",
    "host": "text",
    "referer": "text",
    "auth_type": "text",
    "is_secure": "boolean",
}
"""The columns that a row is written with, in order, and their types."""

PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")
_PATH_SAFE = "/-._~!$&'()*+,;=:@"

# What signs a presigned request, and what a session is carried by: nobody may find them in a log.
_SECRET_PARAMETERS = re.compile(
    r"((?:^|[?&;])(?:X-Amz-Signature|X-Amz-Security-Token|Signature|\w*password|\w*token|SAMLAssertion|SecretAccessKey|code)=)"
    r"[^&;\s]*",
    re.IGNORECASE,
)


@dataclass(slots=True)
class AuditDraft:
    """What is known so far. Texts are as they came; sizes in bytes; `started` is of the monotonic clock, in seconds."""

    request_id: str
    source: str
    at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    operation: str = ""
    action: str = ""
    account_id: str | None = None
    principal: str = ""
    access_key_id: str | None = None
    bucket: str | None = None
    key: str | None = None
    version_id: str | None = None
    owner_id: str | None = None
    source_ip: str = ""
    user_agent: str = ""
    method: str = ""
    path: str = ""
    query: str = ""
    host: str = ""
    referer: str = ""
    auth_type: str = ""
    is_secure: bool = False
    status: int = 0
    error_code: str = ""
    error_reason: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    object_bytes: int | None = None
    duration_seconds: float | None = None
    decisions: list[tuple[str, str | None, Decision]] = field(default_factory=list)
    facts: Mapping[str, Any] | None = None
    is_written: bool = False
    when_finished: Callable[[AuditDraft], None] | None = None

    def name_principal(self, principal: Principal, auth_type: str = "") -> None:
        """Say who it is."""
        self.account_id = principal.account_id
        self.principal = principal.arn
        self.access_key_id = principal.access_key_id
        self.auth_type = auth_type

    def note(self, action: str, key: str | None, decision: Decision) -> None:
        """Remember a decision, the first few of them."""
        if len(self.decisions) < DECISIONS_MAX:
            self.decisions.append((action, key, decision))

    def for_resource(
        self, *, action: str, key: str | None, version_id: str | None, bucket: tuple[str, str] | None = None
    ) -> AuditDraft:
        """Return the draft of one of several things that the request does, with decisions of its own.

        `bucket` is another bucket, if the thing lies there, and the account that owns it.
        """
        name, owner_id = bucket or (self.bucket, self.owner_id)
        return replace(
            self,
            bucket=name,
            owner_id=owner_id,
            action=action,
            key=key,
            version_id=version_id,
            decisions=[],
            is_written=False,
            object_bytes=None,
            when_finished=None,
        )

    def finish(self, *, status: int, error_code: str = "", bytes_out: int = 0) -> None:
        """Say how the request ended."""
        self.status, self.error_code, self.bytes_out = status, error_code, bytes_out
        self.duration_seconds = time.perf_counter() - self.started
        if self.when_finished is not None:
            self.when_finished(self)

    def values(self) -> list[str | None]:
        """Return the row, in the order of COLUMNS, as PostgreSQL reads text."""
        duration = self.duration_seconds if self.duration_seconds is not None else time.perf_counter() - self.started
        decided = self._deciding()
        return [
            at_text(self.at),
            self.request_id,
            self.source,
            self.operation,
            decided[0] if decided else self.action,
            self.account_id,
            self.principal,
            _text(self.access_key_id, 128),
            _text(self.bucket, 255),
            _text(self.key, 1_100),
            _text(self.version_id, 1_024),
            self.owner_id,
            str(decided[2].outcome) if decided else None,
            _text(decided[2].reason if decided else self.error_reason, REASON_LENGTH_MAX),
            self._trace(),
            _text(self.source_ip, 64),
            _text(self.user_agent, USER_AGENT_LENGTH_MAX),
            str(self.status),
            self.error_code,
            str(self.bytes_in),
            str(self.bytes_out),
            None if self.object_bytes is None else str(self.object_bytes),
            str(int(duration * 1_000_000)),
            _text(self.method, 16),
            _text(self._request_uri(), REQUEST_URI_LENGTH_MAX),
            _text(self.host, 255),
            _text(redacted(self.referer), REFERER_LENGTH_MAX),
            self.auth_type,
            "true" if self.is_secure else "false",
        ]

    def _deciding(self) -> tuple[str, str | None, Decision] | None:
        """Return the decision that mattered: the last refusal of what was refused, otherwise the first of all."""
        if self.status == 403:
            for decided in reversed(self.decisions):
                if not decided[2].is_allowed:
                    return decided
            return None
        return self.decisions[0] if self.decisions else None

    def _trace(self) -> str | None:
        """Return what led to a refusal, compactly; None for what was not refused."""
        if self.status != 403 or not self.decisions:
            return None
        decisions = [
            {
                "action": action,
                **({} if key is None else {"key": key}),
                **_entity(action, decision),
                "outcome": str(decision.outcome),
                "reason": decision.reason,
                "matches": [str(match) for match in decision.trace[:TRACE_MATCHES_MAX]],
            }
            for action, key, decision in self.decisions
        ]
        document: dict[str, Any] = {"decisions": decisions}
        if self.facts:
            document["facts"] = _without_secrets(self.facts)
        return json.dumps(document).replace("\\u0000", "�")

    def _request_uri(self) -> str:
        path = self.path
        if self.source != "command" and not PLAIN_PATH.fullmatch(path):
            path = quote(path, safe=_PATH_SAFE, encoding="latin-1")
        return f"{path}?{redacted(self.query)}" if self.query else path


def _entity(action: str, decision: Decision) -> dict[str, str]:
    """Return what a decision of IAM or STS is about; what S3's are about stands in columns."""
    if action.startswith("s3:") or decision.request is None:
        return {}
    return {"resource": decision.request.resource}


def _without_secrets(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts whose referer, the address of another page, lets nobody in."""
    headers = facts.get("headers")
    if not headers or "referer" not in headers:
        return dict(facts)
    return {**facts, "headers": {**headers, "referer": redacted(headers["referer"])}}


def at_text(at: float) -> str:
    """Return a moment, in seconds since 1970, as PostgreSQL reads it, to the microsecond."""
    seconds = int(at)
    return f"{_second_text(seconds)}.{int((at - seconds) * 1_000_000):06d}+00:00"


@lru_cache(maxsize=4)
def _second_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def redacted(query: str) -> str:
    """Return a query string with nothing in it that would let somebody in."""
    return _SECRET_PARAMETERS.sub(r"\1-", query)


def _text(value: str | None, length_max: int) -> str | None:
    """Return a text that PostgreSQL takes: no NUL, no half of a surrogate pair, and not longer than asked."""
    if not value:
        return value
    if "\0" in value:
        value = value.replace("\0", "�")
    if len(value) > length_max:
        value = value[: length_max - 1] + "…"
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


_current: ContextVar[AuditDraft | None] = ContextVar("audit_draft", default=None)


def current() -> AuditDraft | None:
    """Return the draft of what this thread serves; None for duties, and where nothing is audited."""
    return _current.get()


def begin(draft: AuditDraft | None) -> None:
    """Make a draft the one of this thread, until the next one."""
    _current.set(draft)


@contextmanager
def scope(draft: AuditDraft | None) -> Iterator[AuditDraft | None]:
    """Make a draft the one of this thread for the time of a block."""
    token = _current.set(draft)
    try:
        yield draft
    finally:
        _current.reset(token)
