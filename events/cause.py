"""Who asked for the change that is being made, for the events that tell of it; set by the endpoint for each request.

What no request caused (lifecycle rules, replication) is the store's own doing.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from accesscontrol.principal import Principal

STORE = "s3.amazonaws.com"
"""The principal and source address that S3 gives for what it does by itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A request, as event records tell of it."""

    principal: Principal
    source_address: str
    request_id: str
    host_id: str
    is_form: bool = False

    @property
    def principal_id(self) -> str:
        """Name who asked: the account, and the user where it is not the root user."""
        if self.principal.account_id is None:
            return "Anonymous"
        name = "" if self.principal.is_root else f":{self.principal.user_name}"
        return f"AWS:{self.principal.account_id}{name}"


current_cause: ContextVar[Cause | None] = ContextVar("current_cause", default=None)

CREATED_BY_PUT, CREATED_BY_FORM = "ObjectCreated:Put", "ObjectCreated:Post"
CREATED_BY_COPY, CREATED_BY_COMPLETION = "ObjectCreated:Copy", "ObjectCreated:CompleteMultipartUpload"
REMOVED, EXPIRED = "ObjectRemoved", "LifecycleExpiration"
TAGS_PUT, TAGS_DELETED = "ObjectTagging:Put", "ObjectTagging:Delete"
TRANSITION, TIER_CHANGED = "LifecycleTransition", "IntelligentTiering"
RESTORE_ASKED, RESTORED, RESTORE_ENDED = "ObjectRestore:Post", "ObjectRestore:Completed", "ObjectRestore:Delete"
REPLICATION_FAILED = "Replication:OperationFailedReplication"
ACL_PUT, RETENTION_PUT = "ObjectAcl:Put", "ObjectRetention:Put"


def cause_document(event_name: str) -> dict[str, Any]:
    """Say what happens and who asked for it, for the functions in `objects/sql`; the name without `s3:`."""
    cause = current_cause.get()
    if cause is None:
        return {"event": event_name, "principal": STORE, "address": STORE}
    if cause.is_form and event_name == CREATED_BY_PUT:
        event_name = CREATED_BY_FORM
    return {
        "event": event_name,
        "principal": cause.principal_id,
        "account": cause.principal.account_id or "",
        "address": cause.source_address,
        "request": cause.request_id,
        "host": cause.host_id,
    }
