"""The principal: who a request speaks for. Values only, so that every floor may carry one."""

from __future__ import annotations

from dataclasses import dataclass

from accesscontrol.policy import NO_POLICIES, PrincipalPolicies


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user of an account, or anonymous (no account), with the policies that are the principal's own."""

    account_id: str | None
    canonical_id: str
    display_name: str
    user_id: int | None
    user_name: str
    is_root: bool
    access_key_id: str | None = None
    policies: PrincipalPolicies = NO_POLICIES

    @property
    def is_anonymous(self) -> bool:
        """Whether the request carried no credentials at all."""
        return self.account_id is None

    @property
    def arn(self) -> str:
        """Name the principal as IAM does."""
        if self.account_id is None:
            return "*"
        return f"arn:aws:iam::{self.account_id}:" + ("root" if self.is_root else f"user/{self.user_name}")


ANONYMOUS = Principal(
    account_id=None, canonical_id="anonymous", display_name="anonymous", user_id=None, user_name="", is_root=False
)
