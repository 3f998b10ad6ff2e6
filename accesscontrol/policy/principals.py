"""Principal elements: whom a statement of a resource policy speaks of.

A statement that names an account (`123456789012`, `arn:aws:iam::123456789012:root`, a canonical id) hands the decision
to that account: its root user may, others as far as the account's own policies let them. One that names a user, a role
or everyone allows by itself within the account of the resource. One that names a role speaks of its sessions, which stay
within the role's boundary and their own policies, unless the session itself is named. `Reach` says which it was.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

_ACCOUNT_ID = re.compile(r"\d{12}")
_CANONICAL_ID = re.compile(r"[0-9a-fA-F]{32,64}")
_ACCOUNT_ARN = re.compile(r"arn:aws[\w-]*:iam::([^:/*?\s]+):root")
_IDENTITY_ARN = re.compile(
    r"arn:aws[\w-]*:(?:iam::[^:/*?\s]+:(?:user|role)|sts::[^:/*?\s]+:(?:assumed-role|federated-user))/[^*?\s]+"
)
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA|GPA|NPA|SIA)[A-Z0-9]{8,}")
_KINDS = ("AWS", "CanonicalUser", "Federated", "Service")


class Caller(Protocol):
    """What the engine needs to know of a principal."""

    @property
    def account_id(self) -> str | None:
        """The account; None for an anonymous request."""

    @property
    def canonical_id(self) -> str:
        """The account's canonical id."""

    @property
    def arn(self) -> str:
        """The principal's ARN; `*` for an anonymous request, the name of a service that asks for itself."""

    @property
    def userid(self) -> str:
        """The principal's unique id, as statements name it once its ARN was replaced by it."""

    @property
    def issuer_names(self) -> tuple[str, ...]:
        """The names of the role that the principal is a session of."""

    @property
    def is_root(self) -> bool:
        """Whether it is the root user of its account."""


class Reach(IntEnum):
    """How closely a statement or a grant speaks of a principal; the greater, the closer."""

    NOBODY = 0
    ACCOUNT = 1
    EVERYONE = 2
    ISSUER = 3
    PRINCIPAL = 4


class PrincipalError(ValueError):
    """A principal that cannot be."""


@dataclass(frozen=True, slots=True)
class PrincipalPattern:
    """The parsed element. `others` are federated and service principals, callers whose `arn` is just that name."""

    is_everyone: bool
    account_ids: frozenset[str]
    canonical_ids: frozenset[str]
    arns: frozenset[str]
    others: frozenset[str]

    def reach(self, caller: Caller) -> Reach:
        """Say how closely the element names a principal."""
        if (self.arns or self.others) and (named := self._names(caller)) is not Reach.NOBODY:
            return named
        if self.is_everyone:
            return Reach.EVERYONE
        if caller.account_id is None:
            return Reach.NOBODY
        if caller.account_id in self.account_ids or caller.canonical_id in self.canonical_ids:
            return Reach.ACCOUNT
        return Reach.NOBODY

    def _names(self, caller: Caller) -> Reach:
        """Say whether the element names the principal itself, or the role that it is a session of."""
        arn = caller.arn
        if arn in self.arns or arn in self.others or caller.userid in self.arns:
            return Reach.PRINCIPAL
        return Reach.ISSUER if any(name in self.arns for name in caller.issuer_names) else Reach.NOBODY

    def excepts(self, caller: Caller) -> bool:
        """Say whether NotPrincipal leaves a principal out: itself named, or the root user of a named account.

        Naming an account alone does not leave out its users, nor a role its sessions, as in AWS.
        """
        reach = self.reach(caller)
        return reach in (Reach.EVERYONE, Reach.PRINCIPAL) or (reach == Reach.ACCOUNT and caller.is_root)


def parse_principal(element: Any) -> PrincipalPattern:
    """Parse a Principal or NotPrincipal element. Raises PrincipalError."""
    if element == "*":
        return PrincipalPattern(True, frozenset(), frozenset(), frozenset(), frozenset())
    if not isinstance(element, dict) or not element or element.keys() - set(_KINDS):
        raise PrincipalError("Invalid principal in policy")
    everyone, accounts, arns = _parse_aws(_texts(element.get("AWS", [])))
    canonical_ids = _texts(element.get("CanonicalUser", []))
    if any(_CANONICAL_ID.fullmatch(name) is None for name in canonical_ids):
        raise PrincipalError("Invalid principal in policy")
    others = _texts(element.get("Federated", [])) + _texts(element.get("Service", []))
    return PrincipalPattern(
        everyone,
        frozenset(accounts),
        frozenset(name.lower() for name in canonical_ids),
        frozenset(arns),
        frozenset(others),
    )


def _texts(value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise PrincipalError("Invalid principal in policy")
    return texts


def _parse_aws(names: Iterable[str]) -> tuple[bool, list[str], list[str]]:
    """Sort the names of AWS principals into everyone, accounts and identities. Ids of deleted ones match nobody."""
    is_everyone, accounts, arns = False, [], []
    for name in names:
        account = _ACCOUNT_ARN.fullmatch(name)
        if name == "*":
            is_everyone = True
        elif account is not None:
            accounts.append(account[1])
        elif _ACCOUNT_ID.fullmatch(name):
            accounts.append(name)
        elif _IDENTITY_ARN.fullmatch(name) or _UNIQUE_ID.fullmatch(name):
            arns.append(name)
        else:
            raise PrincipalError("Invalid principal in policy")
    return is_everyone, accounts, arns
