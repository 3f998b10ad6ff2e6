"""Decide whether a principal may do an action on a resource. The one place that says yes.

First form: what belongs to an account is open to its root user and closed to everybody else. Fails closed: what no rule
here allows is denied.
"""

from __future__ import annotations

from dataclasses import dataclass

from accesscontrol.principal import Principal
from s3protocol import errors


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and the rule that said so."""

    is_allowed: bool
    reason: str


_ALLOWED_ACCOUNT = Decision(True, "any account may do this on the service")
_ALLOWED_OWNER = Decision(True, "the root user of the owning account may do everything with what it owns")
_DENIED_ANONYMOUS = Decision(False, "the request is anonymous")
_DENIED_STRANGER = Decision(False, "the resource belongs to another account")


def decide(principal: Principal, *, action: str, owner_id: str | None) -> Decision:
    """Decide about an action (`s3:GetObject`) on a resource of the account `owner_id`; None is the service itself."""
    if principal.is_anonymous:
        return _DENIED_ANONYMOUS
    if not principal.is_root:
        return Decision(False, f"no policy allows {action} to the user")
    if owner_id is None:
        return _ALLOWED_ACCOUNT
    if owner_id == principal.account_id:
        return _ALLOWED_OWNER
    return _DENIED_STRANGER


def authorize(principal: Principal, *, action: str, owner_id: str | None) -> None:
    """Raise AccessDenied unless the principal may do the action."""
    if not decide(principal, action=action, owner_id=owner_id).is_allowed:
        raise errors.AccessDenied
