"""Answer "may P do A on R?" about what is stored: the principal by its ARN, the bucket and version by name.

And about a row of the audit log: what was decided then, as it was written down, and what would be decided now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from accesscontrol.explanation import Explanation, Question, explain
from accesscontrol.models import Account, Role, User
from accesscontrol.principal import ANONYMOUS, Principal, Session, SessionKind
from accesscontrol.request_facts import RequestFacts
from accesscontrol.selectors import find_role_policies, principal_of_user
from audit.models import AuditEvent
from buckets.selectors import find_bucket
from objects.selectors.lookup import look_up

_ARN = re.compile(r"arn:aws:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:/(.+))?")
_BUCKET_ARN = re.compile(r"arn:aws:s3:::([^/*]+)(?:/(.*))?", re.DOTALL)


_ROLES_TRUST = "A role is assumed only by whom its trust policy lets, too; that is not asked here."


class UnknownSubject(LookupError):
    """A principal, bucket or action that isn't there, in words."""


def find_principal(arn: str) -> Principal:
    """Return the principal that an ARN names, as it is now. Raises UnknownSubject.

    `*` is anonymous. A role, or a session of one, is the role with no session policy.
    """
    if arn in ("*", "anonymous"):
        return ANONYMOUS
    parts = _ARN.fullmatch(arn)
    if parts is None:
        raise UnknownSubject(f"{arn!r} names no principal: give an ARN of a user, a role, an account's root, or *")
    account_id, kind, rest = parts.groups()
    if kind in ("root", "user"):
        users = User.objects.select_related("account").filter(account_id=account_id)
        name = (rest or "").rpartition("/")[2]
        user = users.filter(is_root=True).first() if kind == "root" else users.filter(name=name).first()
        if user is None or (kind == "user" and principal_of_user(user).arn != arn):
            raise UnknownSubject(f"there is no {arn}")
        return principal_of_user(user)
    return _role_principal(arn, account_id, kind, rest or "")


def _role_principal(arn: str, account_id: str, kind: str, rest: str) -> Principal:
    name, session_name = rest.rpartition("/")[2], "explain"
    if kind == "assumed-role":
        name, _, session_name = rest.partition("/")
    role = Role.objects.filter(account_id=account_id, name__iexact=name).first()
    if role is None:
        raise UnknownSubject(f"there is no {arn}")
    account = Account.objects.get(pk=account_id)
    now = datetime.now(UTC)
    role_arn = f"arn:aws:iam::{account_id}:role{role.path}{role.name}"
    return Principal(
        account_id,
        account.canonical_id,
        account.display_name or account.name,
        None,
        role.name,
        False,
        policies=find_role_policies(role.pk, role.boundary_id),
        path=role.path,
        unique_id=role.unique_id,
        tags=role.tags,
        session=Session(SessionKind.ROLE, session_name or "explain", now, now, role_arn, role.unique_id),
    )


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


def explain_access(
    *,
    principal: Principal,
    action: str,
    bucket_name: str | None,
    key: str | None = None,
    version_id: str | None = None,
    facts: RequestFacts | None = None,
) -> Explanation:
    """Explain what would be decided now. Cost: one look-up, and the trials. Raises UnknownSubject."""
    if not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action):
        raise UnknownSubject(f"{action!r} is no action, such as s3:GetObject")
    facts = facts or RequestFacts(now=datetime.now(UTC), region=settings.OBJSTORE_REGION, is_secure=True)
    is_about_s3 = action.startswith("s3:")
    if (is_about_s3 and bucket_name is None and key) or (bucket_name is not None and not is_about_s3):
        raise UnknownSubject(f"{action} is not about such a resource")
    if not is_about_s3:
        remarks = [_ROLES_TRUST] if action.startswith("sts:AssumeRole") else []
        return explain(Question(principal, action, None, facts=facts, entity=key or "*"), remarks=remarks)
    stated = {"s3:versionid": version_id} if version_id else {}
    if bucket_name is None:
        return explain(Question(principal, action, None, facts=facts))
    if not key:
        bucket = find_bucket(bucket_name)
        if bucket is None:
            raise UnknownSubject(f"there is no bucket {bucket_name}")
        return explain(Question(principal, action, bucket, facts=facts))
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
