"""The principal: who a request speaks for. Values only, so that every floor may carry one.

An IAM user or the root user of an account, a session of either, a session of a role, a federated user, or nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from accesscontrol.policy import NO_POLICIES, PrincipalPolicies


class SessionKind(StrEnum):
    """How a session came about."""

    ROLE = "role"  # AssumeRole, AssumeRoleWithWebIdentity
    USER = "user"  # GetSessionToken
    FEDERATED = "federated"  # GetFederationToken


class PrincipalKind(StrEnum):
    """What a principal is, in the words of `aws:PrincipalType`."""

    ANONYMOUS = "Anonymous"
    ROOT = "Account"
    USER = "User"
    ASSUMED_ROLE = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    SERVICE = "AWSService"


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials. `tags` are those of the session, `claims` what an identity provider said, by condition key.

    `issuer_arn` and `issuer_id` name the role or the user whose session it is.
    """

    kind: SessionKind
    name: str
    issued_at: datetime
    expires_at: datetime
    issuer_arn: str
    issuer_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tag_keys: tuple[str, ...] = ()
    source_identity: str | None = None
    federated_provider: str | None = None
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user of an account, or anonymous (no account), with the policies that are the principal's own.

    `user_name` is that of the user, of the role, or of the federated user. `unique_id` is IAM's (AIDA…, AROA…); `tags`
    are those of the user or role, with those of the session over them. `federated_arn` is of whom an identity provider
    vouches for, before any role is assumed: that of the provider.
    """

    account_id: str | None
    canonical_id: str
    display_name: str
    user_id: int | None
    user_name: str
    is_root: bool
    access_key_id: str | None = None
    policies: PrincipalPolicies = NO_POLICIES
    path: str = "/"
    unique_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    session: Session | None = None
    federated_arn: str | None = None
    service: str = ""

    @property
    def is_anonymous(self) -> bool:
        """Whether the request carried no credentials at all."""
        return self.account_id is None and not self.service

    @property
    def kind(self) -> PrincipalKind:
        """What the principal is."""
        if self.account_id is None:
            return PrincipalKind.SERVICE if self.service else PrincipalKind.ANONYMOUS
        if self.session is not None and self.session.kind is not SessionKind.USER:
            is_role = self.session.kind is SessionKind.ROLE
            return PrincipalKind.ASSUMED_ROLE if is_role else PrincipalKind.FEDERATED_USER
        return PrincipalKind.ROOT if self.is_root else PrincipalKind.USER

    @property
    def arn(self) -> str:
        """Name the principal as IAM does."""
        match self.kind:
            case PrincipalKind.ANONYMOUS:
                return self.federated_arn or "*"
            case PrincipalKind.SERVICE:
                return self.service
            case PrincipalKind.ROOT:
                return f"arn:aws:iam::{self.account_id}:root"
            case PrincipalKind.USER:
                return f"arn:aws:iam::{self.account_id}:user{self.path}{self.user_name}"
        assert self.session is not None
        if self.session.kind is SessionKind.ROLE:
            return f"arn:aws:sts::{self.account_id}:assumed-role/{self.user_name}/{self.session.name}"
        return f"arn:aws:sts::{self.account_id}:federated-user/{self.session.name}"

    @property
    def userid(self) -> str:
        """The principal as `aws:userid` has it."""
        match self.kind:
            case PrincipalKind.ANONYMOUS:
                return "anonymous"
            case PrincipalKind.SERVICE:
                return self.service
            case PrincipalKind.ROOT:
                return str(self.account_id)
            case PrincipalKind.USER:
                return self.unique_id or str(self.user_id)
        assert self.session is not None
        owner = self.session.issuer_id if self.session.kind is SessionKind.ROLE else self.account_id
        return f"{owner}:{self.session.name}"

    @property
    def issuer_names(self) -> tuple[str, ...]:
        """The names of the role that a session is of, by which policies of resources may name the session, too."""
        if self.session is None or self.session.kind is not SessionKind.ROLE:
            return ()
        return (self.session.issuer_arn, self.session.issuer_id)


ANONYMOUS = Principal(
    account_id=None, canonical_id="anonymous", display_name="anonymous", user_id=None, user_name="", is_root=False
)


def service_principal(name: str) -> Principal:
    """Return the store itself, as policies name it when it writes reports or logs: `s3.amazonaws.com`, for example."""
    return Principal(
        account_id=None,
        canonical_id=name,
        display_name=name,
        user_id=None,
        user_name="",
        is_root=False,
        service=name,
    )
