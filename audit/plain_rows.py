"""The row of a request that succeeded, as a line in a quarter of the time that `AuditDraft.values` and escaping take.

Most requests are plain: nothing in their rows has to be escaped, shortened or left out. And most of what stands in a row is
the same for all that a client asks of a bucket, so it is looked at once and remembered as it will be written. Pure.
"""

from __future__ import annotations

from functools import lru_cache

from audit.draft import PLAIN_PATH, AuditDraft, at_text
from audit.row_text import NULL

LENGTH_MAX = 512  # of all texts that are remembered together, and of each other one
REMEMBERED_MAX = 1_024


def plain_line(draft: AuditDraft) -> str | None:
    """Return the line of a finished draft's row; None for one that is not plain."""
    path, key, version_id, duration = draft.path, draft.key, draft.version_id, draft.duration_seconds
    if draft.status >= 400 or draft.query or draft.referer or draft.error_code or duration is None:
        return None
    action, reason, outcome = draft.action, draft.error_reason, NULL
    if draft.decisions:
        action, _, decision = draft.decisions[0]
        reason, outcome = decision.reason, decision.outcome.value
    if len(draft.user_agent) + len(draft.host) > LENGTH_MAX:  # whatever a client says, little of it is remembered
        return None
    if len(path) > LENGTH_MAX or not PLAIN_PATH.fullmatch(path):
        return None
    if key is None:
        key = NULL
    elif not path.endswith(key) and (len(key) > LENGTH_MAX or not PLAIN_PATH.fullmatch(key)):
        return None
    if version_id is None:
        version_id = NULL
    elif len(version_id) > LENGTH_MAX or not PLAIN_PATH.fullmatch(version_id):
        return None
    remembered = _same_for_many(
        draft.source,
        draft.operation,
        action,
        draft.account_id,
        draft.principal,
        draft.access_key_id,
        draft.bucket,
        draft.owner_id,
        outcome,
        reason,
        draft.source_ip,
        draft.user_agent,
        draft.method,
        draft.host,
        draft.auth_type,
        draft.is_secure,
    )
    if remembered is None:
        return None
    who, decided, method, where = remembered
    size = NULL if draft.object_bytes is None else draft.object_bytes
    return (
        f"{at_text(draft.at)}\t{draft.request_id}{who}{key}\t{version_id}{decided}{draft.status}\t\t{draft.bytes_in}\t"
        f"{draft.bytes_out}\t{size}\t{int(duration * 1_000_000)}{method}{path}{where}"
    )


@lru_cache(maxsize=REMEMBERED_MAX)
def _same_for_many(  # noqa: PLR0917  a cache that is asked by position is twice as fast
    source: str,
    operation: str,
    action: str,
    account_id: str | None,
    principal: str,
    access_key_id: str | None,
    bucket: str | None,
    owner_id: str | None,
    outcome: str,
    reason: str,
    source_ip: str,
    user_agent: str,
    method: str,
    host: str,
    auth_type: str,
    is_secure: bool,  # noqa: FBT001
) -> tuple[str, str, str, str] | None:
    """Return the pieces of a line between what differs from request to request; None if they are not plain."""
    nullable = (account_id, access_key_id, bucket, owner_id)
    texts = (source, operation, action, principal, reason, source_ip, user_agent, method, host, auth_type, *nullable)
    given = "".join(text for text in texts if text is not None)
    if (
        len(given) > LENGTH_MAX
        or len(access_key_id or "") > 128
        or len(bucket or "") > 255
        or len(source_ip) > 64
        or len(method) > 16
        or len(host) > 255
        or not (given.isascii() and given.isprintable())
        or "\\" in given
    ):
        return None
    account, access_key, bucket_name, owner = (NULL if text is None else text for text in nullable)
    return (
        f"\t{source}\t{operation}\t{action}\t{account}\t{principal}\t{access_key}\t{bucket_name}\t",
        f"\t{owner}\t{outcome}\t{reason}\t{NULL}\t{source_ip}\t{user_agent}\t",
        f"\t{method}\t",
        f"\t{host}\t\t{auth_type}\t{'true' if is_secure else 'false'}\n",
    )
