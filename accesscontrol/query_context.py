"""What a handler of IAM or STS knows of the request besides its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accesscontrol.authorization import decide_about
from accesscontrol.denials import encode_decision
from accesscontrol.policy import Decision
from accesscontrol.principal import Principal, PrincipalKind, SessionKind
from accesscontrol.request_facts import RequestFacts, StatedValues
from s3protocol.query import errors
from s3protocol.query.registry import Permission, QueryOperation


def note_nowhere(_action: str, _key: str | None, _decision: Decision) -> None:
    """Forget a decision."""


@dataclass(frozen=True, slots=True)
class QueryContext:
    """A request that has been authenticated, and but for `Permission.HANDLER` authorized.

    `note` is told of every decision, for the audit log.
    """

    principal: Principal
    facts: RequestFacts
    note: Callable[[str, str | None, Decision], None] = note_nowhere

    @property
    def account_id(self) -> str:
        """The principal's account. Raises AccessDenied for anonymous requests."""
        if self.principal.account_id is None:
            raise errors.MissingAuthenticationToken
        return self.principal.account_id

    @property
    def now(self) -> datetime:
        """When the request came."""
        return self.facts.now

    @property
    def own_user_id(self) -> int:
        """The row of the user who asks. Raises ValidationError for who is no user but the session of a role."""
        kind = self.principal.kind
        if kind not in (PrincipalKind.USER, PrincipalKind.ROOT) or self.principal.user_id is None:
            raise errors.ValidationError("Must specify userName when calling with non-User credentials")
        return self.principal.user_id

    def decide(
        self,
        action: str,
        resource: str,
        *,
        owner_account_id: str | None = None,
        stated: StatedValues | None = None,
    ) -> Decision:
        """Decide about an action on a resource, of one's own account unless told otherwise."""
        decision = decide_about(
            self.principal,
            action=action,
            resource=resource,
            owner_account_id=self.account_id if owner_account_id is None else owner_account_id,
            facts=self.facts,
            stated=stated,
        )
        self.note(action, None, decision)
        return decision

    def authorize(self, action: str, resource: str, *, stated: StatedValues | None = None) -> None:
        """Raise AccessDenied unless the principal may do the action."""
        decision = self.decide(action, resource, stated=stated)
        if not decision.is_allowed:
            raise access_denied(self.principal, decision)
        session = self.principal.session
        if session is not None and session.kind is not SessionKind.ROLE and action.startswith("iam:"):
            # AWS: a session of a user calls IAM only with a second factor, one of a federated user never.
            raise errors.AccessDenied("The credentials of GetSessionToken and GetFederationToken cannot call IAM.")


def authorize_operation(operation: QueryOperation, context: QueryContext, arguments: Mapping[str, Any]) -> None:
    """Raise AccessDenied unless the principal may have the operation, or it is the handler's to decide."""
    if operation.permission in (Permission.NONE, Permission.UNSIGNED):
        return
    if context.principal.kind is PrincipalKind.FEDERATED_USER:
        raise errors.AccessDenied(f"Cannot call {operation.name} with the credentials of a federated user.")
    if operation.permission is Permission.POLICY:
        target = operation.find_target(context, arguments)
        context.authorize(operation.action, target.arn, stated=target.stated)


def access_denied(principal: Principal, decision: Decision) -> errors.AccessDenied:
    """Say that a principal was refused, with the encoded decision."""
    request = decision.request
    asked = "" if request is None else f" to perform: {request.action} on resource: {request.resource}"
    message = f"{who(principal)} is not authorized{asked}"
    encoded = encode_decision(decision)
    return errors.AccessDenied(
        message if encoded is None else f"{message}. Encoded authorization failure message: {encoded}"
    )


def who(principal: Principal) -> str:
    """Name a principal as AWS does in its messages."""
    return f"User: {'anonymous' if principal.is_anonymous else principal.arn}"
