"""A question about access, with all that decides about it, and what an answer says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accesscontrol.arns import read_arn
from accesscontrol.authorization import BucketAccess, RoleAccess, VersionAccess, decide, decide_about, decide_trust
from accesscontrol.policy import Decision
from accesscontrol.principal import Principal
from accesscontrol.request_facts import NO_FACTS, RequestFacts, StatedValues


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do: in words, where, and as a statement to add where that is what to do."""

    where: str
    text: str
    statement: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision about a question, and what would have to change for a yes; `changes` is None where nothing would do."""

    principal: str
    action: str
    resource: str
    decision: Decision
    changes: tuple[Change, ...] | None = ()
    remarks: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Render it for programs."""
        return {
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "allowed": self.decision.is_allowed,
            "outcome": str(self.decision.outcome),
            "reason": self.decision.reason,
            "matches": [str(match) for match in self.decision.trace],
            "smallest_change": None
            if self.changes is None
            else [
                {"where": change.where, "text": change.text}
                | ({} if change.statement is None else {"statement": dict(change.statement)})
                for change in self.changes
            ],
            "remarks": list(self.remarks),
        }


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, with all that decides about it: of S3; (`entity`, an ARN) of IAM and STS; of STS about a role."""

    principal: Principal
    action: str
    bucket: BucketAccess | None
    key: str | None = None
    version: VersionAccess | None = None
    facts: RequestFacts = NO_FACTS
    stated: StatedValues = field(default_factory=dict)
    entity: str | None = None
    role: RoleAccess | None = None

    @property
    def resource(self) -> str:
        """The ARN that is asked about."""
        if self.role is not None:
            return self.role.arn
        if self.entity is not None:
            return self.entity
        name = "*" if self.bucket is None else self.bucket.name
        return f"arn:aws:s3:::{name}" + ("" if self.key is None else f"/{self.key}")

    def decide(self) -> Decision:
        """Decide."""
        if self.role is not None:
            return decide_trust(
                self.principal, action=self.action, role=self.role, facts=self.facts, stated=self.stated
            )
        if self.entity is not None:
            read = read_arn(self.entity)
            return decide_about(
                self.principal,
                action=self.action,
                resource=self.entity,
                owner_account_id=(self.principal.account_id or "") if read is None else read.account_id,
                facts=self.facts,
                stated=self.stated,
            )
        return decide(
            self.principal,
            action=self.action,
            bucket=self.bucket,
            key=self.key,
            version=self.version,
            facts=self.facts,
            stated=self.stated,
        )
