"""Principals as questions about access name them: by ARN, as they are now."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from accesscontrol.arns import read_arn
from accesscontrol.models import Account, Role, User
from accesscontrol.principal import ANONYMOUS, Principal, Session, SessionKind, service_principal
from accesscontrol.selectors.iam import find_provider
from accesscontrol.selectors.principals import find_role_policies, principal_of_user
from s3protocol.query import errors

_ARN = re.compile(r"arn:aws:(?:iam|sts)::(\d{12}):(root|user|role|assumed-role)(?:/(.+))?")
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")


class UnknownSubject(LookupError):
    """A principal, bucket or action that isn't there, in words."""


def find_principal(arn: str) -> Principal:
    """Return the principal that an ARN names, as it is now. Raises UnknownSubject.

    `*` is anonymous. A role, or a session of one, is the role with no session policy. An identity provider is somebody
    whom it vouches for and who is no role yet. Services go by their names, as `s3.amazonaws.com`.
    """
    if arn in ("*", "anonymous"):
        return ANONYMOUS
    if _SERVICE.fullmatch(arn):
        return service_principal(arn)
    entity = read_arn(arn)
    if entity is not None and entity.kind == "oidc-provider":
        _require_provider(entity.account_id, arn)
        return replace(ANONYMOUS, federated_arn=arn)
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


def _require_provider(account_id: str, arn: str) -> None:
    try:
        find_provider(account_id, arn)
    except errors.NoSuchEntity:
        raise UnknownSubject(f"there is no {arn}") from None
