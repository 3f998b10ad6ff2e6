"""Answer "may P do A on R?" about what is stored: the principal by its ARN, the bucket and version by name.

And about a row of the audit log: what was decided then, as it was written down, and what would be decided now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accesscontrol.explanation import Explanation, Question, explain
from accesscontrol.policy import normalized_key
from accesscontrol.principal import Principal
from accesscontrol.request_facts import RequestFacts, StatedValues
from accesscontrol.selectors.subjects import UnknownSubject, find_principal
from accesscontrol.selectors.trust import explain_trust, is_about_trust
from audit.models import AuditEvent
from buckets.selectors import find_bucket
from objects.selectors.lookup import look_up

_BUCKET_ARN = re.compile(r"arn:aws:s3:::([^/*]+)(?:/(.*))?", re.DOTALL)


def split_resource(resource: str) -> tuple[str | None, str | None]:
    """Return the bucket and key that a resource names: an ARN, `bucket`, `bucket/key`, or `*` for the service.

    The ARN of what IAM or STS is about comes back as a key without a bucket.
    """
    if resource == "*":
        return None, None
    if resource.startswith("arn:") and not resource.startswith("arn:aws:s3:"):
        return None, resource
    parts = _BUCKET_ARN.fullmatch(resource)
    if parts is not None:
        return parts[1], parts[2]
    bucket, slash, key = resource.partition("/")
    return bucket, key if slash else None


def read_context(lines: Iterable[str]) -> StatedValues:
    """Read condition keys with their values, as `sts:ExternalId=abc`; a key may come again. Raises UnknownSubject."""
    values: dict[str, tuple[str, ...]] = {}
    for line in filter(None, map(str.strip, lines)):
        key, equals, value = line.partition("=")
        if not (key and equals):
            raise UnknownSubject(f"{line!r} is no condition key with a value, such as sts:ExternalId=abc")
        values[normalized_key(key)] = (*values.get(normalized_key(key), ()), value)
    return values


def explain_access(
    *,
    principal: Principal,
    action: str,
    bucket_name: str | None,
    key: str | None = None,
    version_id: str | None = None,
    facts: RequestFacts | None = None,
    stated: StatedValues | None = None,
) -> Explanation:
    """Explain what would be decided now. Cost: one look-up, and the trials. Raises UnknownSubject.

    `stated` are values of condition keys that the request would have, too.
    """
    if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action):
        raise UnknownSubject(f"{action!r} is no action, such as s3:GetObject")
    stated = stated or {}
    facts = facts or RequestFacts(now=datetime.now(UTC), region=settings.OBJSTORE_REGION, is_secure=True)
    is_about_s3 = action.startswith("s3:")
    if (is_about_s3 and bucket_name is None and key) or (bucket_name is not None and not is_about_s3):
        raise UnknownSubject(f"{action} is not about such a resource")
    if not is_about_s3:
        question = Question(principal, action, None, facts=facts, stated=stated, entity=key or "*")
        return explain_trust(question) if is_about_trust(action, key or "*") else explain(question)
    if version_id:
        stated = {"s3:versionid": version_id, **stated}
    if bucket_name is None:
        return explain(Question(principal, action, None, facts=facts, stated=stated))
    if not key:
        bucket = find_bucket(bucket_name)
        if bucket is None:
            raise UnknownSubject(f"there is no bucket {bucket_name}")
        return explain(Question(principal, action, bucket, facts=facts, stated=stated))
    found = look_up(bucket_name, key, version_id)
    if found is None:
        raise UnknownSubject(f"there is no bucket {bucket_name}")
    version = None if found.version is None or found.version.is_delete_marker else found.version
    remarks = []
    if version is None:
        remarks.append(
            "Nothing is at this key now: who reads it is told so only with s3:ListBucket on the bucket, "
            "and is refused otherwise."
        )
    question = Question(principal, action, found.bucket, key, version, facts, stated)
    return explain(question, remarks=remarks)


@dataclass(frozen=True, slots=True)
class RowExplanation:
    """What was decided then, what would be now, and whether that is the same."""

    outcome: str | None
    reason: str
    trace: Mapping[str, Any] | None
    now: Explanation | None
    problem: str = ""

    @property
    def is_the_same(self) -> bool:
        """Whether now would be decided as then, for the same reason."""
        return self.now is not None and (str(self.now.decision.outcome), self.now.decision.reason) == (
            self.outcome,
            self.reason,
        )

    def document(self) -> dict[str, Any]:
        """Render it for programs."""
        return {
            "then": {"outcome": self.outcome, "reason": self.reason, "trace": self.trace},
            "now": None if self.now is None else self.now.document(),
            "is_the_same": self.is_the_same,
            "problem": self.problem,
        }


def explain_row(row: AuditEvent) -> RowExplanation:
    """Explain a row of the audit log, and ask again now, with the address, headers and query that it came with."""
    then = (row.outcome, row.reason, row.trace)
    if not row.action or row.outcome is None:
        return RowExplanation(*then, None, "No decision was come to: the request failed before, or needed none.")
    entity = row.key
    if not row.action.startswith("s3:"):
        entity = _entity_of(row)
        if entity is None:
            return RowExplanation(*then, None, "It can't be asked again: what it was about is not recorded.")
    try:
        principal = replace(find_principal(row.principal), access_key_id=row.access_key_id)
        now = explain_access(
            principal=principal,
            action=row.action,
            bucket_name=row.bucket,
            key=entity,
            version_id=row.version_id if row.method in ("GET", "HEAD") else None,
            facts=_facts_of(row),
        )
    except UnknownSubject as error:
        return RowExplanation(*then, None, f"It can't be asked again: {error}.")
    if principal.session is not None:
        now = replace(now, remarks=(*now.remarks, "What the policies of its session allowed is not known any more."))
    return RowExplanation(*then, now)


def _entity_of(row: AuditEvent) -> str | None:
    """Return what a refusal of IAM or STS was about."""
    for decision in (row.trace or {}).get("decisions", []):
        if decision.get("action") == row.action and "resource" in decision:
            return str(decision["resource"])
    return None


def _facts_of(row: AuditEvent) -> RequestFacts:
    recorded = (row.trace or {}).get("facts", {})
    headers = {"user-agent": row.user_agent, **recorded.get("headers", {})}
    if row.referer:
        headers["referer"] = row.referer
    return RequestFacts(
        headers=headers,
        query=recorded.get("query", {}),
        source_ip=row.source_ip,
        is_secure=row.is_secure,
        now=datetime.now(UTC),
        region=settings.OBJSTORE_REGION,
    )
