"""Find the principal behind an access key or a session token, with its policies.

That happens on every signed request, so what was found is remembered for KEY_CACHE_SECONDS in each process; that is the
longest that a revoked key, a detached policy or the session of a deleted role goes on working. What is unknown is never
remembered.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from accesscontrol import secrets
from accesscontrol.models import User
from accesscontrol.policy import NO_POLICIES, Policy, PolicyKind, PrincipalPolicies, parse_policy
from accesscontrol.principal import Principal, Session, SessionKind
from accesscontrol.session_tokens import SessionSeal, open_session

KEY_CACHE_SECONDS = 2.0
KEY_CACHE_SIZE_MAX = 10_000

_USER_COLUMNS = """
       u.id, u.name, u.is_root, u.path, u.unique_id, u.tags, u.boundary_id, u.sessions_valid_from,
       a.id, a.canonical_id, a.display_name
"""
# Plan: three primary-key or unique-index probes.
_FIND_KEY = f"""
SELECT k.sealed_secret_key, {_USER_COLUMNS}
  FROM accesscontrol_accesskey k
  JOIN accesscontrol_user u ON u.id = k.user_id
  JOIN accesscontrol_account a ON a.id = u.account_id
 WHERE k.access_key_id = %s AND k.is_active AND u.is_active
"""
# Plan: two unique-index probes.
_FIND_USER = f"""
SELECT {_USER_COLUMNS}
  FROM accesscontrol_user u
  JOIN accesscontrol_account a ON a.id = u.account_id
 WHERE u.unique_id = %s AND u.is_active
"""
_FIND_ROLE = """
SELECT r.id, r.name, r.path, r.tags, r.boundary_id, r.sessions_valid_from, a.id, a.canonical_id, a.display_name
  FROM accesscontrol_role r
  JOIN accesscontrol_account a ON a.id = r.account_id
 WHERE r.unique_id = %s
"""
# Plan: index scans on the holders of inline policies and attachments; a group's by those that the user is in.
_POLICIES_OF_USER = """
WITH g AS (SELECT usergroup_id AS id FROM accesscontrol_usergroup_members WHERE user_id = %(id)s)
SELECT i.name, i.document FROM accesscontrol_inlinepolicy i
 WHERE i.user_id = %(id)s OR i.group_id IN (SELECT id FROM g)
UNION ALL
SELECT p.name, v.document FROM accesscontrol_policyattachment t
  JOIN accesscontrol_managedpolicy p ON p.id = t.policy_id
  JOIN accesscontrol_policyversion v ON v.policy_id = p.id AND v.number = p.default_version
 WHERE t.user_id = %(id)s OR t.group_id IN (SELECT id FROM g)
"""
_POLICIES_OF_ROLE = """
SELECT i.name, i.document FROM accesscontrol_inlinepolicy i WHERE i.role_id = %(id)s
UNION ALL
SELECT p.name, v.document FROM accesscontrol_policyattachment t
  JOIN accesscontrol_managedpolicy p ON p.id = t.policy_id
  JOIN accesscontrol_policyversion v ON v.policy_id = p.id AND v.number = p.default_version
 WHERE t.role_id = %(id)s
"""
_MANAGED_POLICIES = """
SELECT p.id, p.name, v.document FROM accesscontrol_managedpolicy p
  JOIN accesscontrol_policyversion v ON v.policy_id = p.id AND v.number = p.default_version
 WHERE p.id = ANY(%s)
"""
_EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


@dataclass(frozen=True, slots=True)
class Credentials:
    """A principal with the secret key that its requests are signed with."""

    principal: Principal
    secret_key: str

    def __repr__(self) -> str:
        """Leave out the secret key: values end up in tracebacks and logs."""
        return f"Credentials({self.principal.arn})"


_key_cache: dict[str, tuple[float, Credentials]] = {}


def find_credentials(access_key_id: str) -> Credentials | None:
    """Return an active key's credentials, or None. Cost: one statement for a root user, two for others; none remembered."""
    return _remembered(access_key_id, lambda: _load_credentials(access_key_id))


def find_session_credentials(session_token: str) -> Credentials | None:
    """Return the credentials of a session; None if it was not made here or its role or user is gone or was cut off.

    An expired session's are returned all the same. Cost: two or three statements, none when remembered.
    """
    return _remembered(session_token, lambda: _load_session(session_token))


def find_user_principal(unique_id: str) -> Principal | None:
    """Return a user as the principal that its keys would speak for. Cost: two statements."""
    row = _one(_FIND_USER, unique_id)
    return None if row is None else _user_principal(row)[0]


def principal_of_user(user: User) -> Principal:
    """Return the principal that a user's keys would speak for. Cost: none for a root user, two statements for others."""
    account = user.account
    columns = (user.pk, user.name, user.is_root, user.path, user.unique_id, user.tags, user.boundary_id, None)
    return _user_principal((*columns, account.pk, account.canonical_id, account.display_name or account.name))[0]


def find_role_policies(role_row: int, boundary_row: int | None) -> PrincipalPolicies:
    """Return the policies of a role. Cost: one statement, two with a boundary."""
    return PrincipalPolicies(_identity_policies(_POLICIES_OF_ROLE, role_row), _boundary(boundary_row))


def _remembered(name: str, load: Any) -> Credentials | None:
    now = time.monotonic()
    cached = _key_cache.get(name)
    if cached is not None and now < cached[0]:
        return cached[1]
    credentials: Credentials | None = load()
    if credentials is None:
        _key_cache.pop(name, None)
        return None
    if len(_key_cache) >= KEY_CACHE_SIZE_MAX:
        _key_cache.clear()
    _key_cache[name] = (now + KEY_CACHE_SECONDS, credentials)
    return credentials


def _load_credentials(access_key_id: str) -> Credentials | None:
    row = _one(_FIND_KEY, access_key_id)
    if row is None:
        return None
    principal, _ = _user_principal(row[1:])
    return Credentials(replace(principal, access_key_id=access_key_id), secrets.unseal(row[0]))


def _user_principal(row: tuple[Any, ...]) -> tuple[Principal, datetime | None]:
    """Read a user's columns; with the time from which its sessions are valid."""
    user_id, name, is_root, path, unique_id, tags, boundary, valid_from, account_id, canonical_id, display_name = row
    policies = NO_POLICIES
    if not is_root:
        policies = PrincipalPolicies(_identity_policies(_POLICIES_OF_USER, user_id), _boundary(boundary))
    principal = Principal(
        account_id,
        canonical_id,
        display_name,
        user_id,
        name,
        is_root,
        policies=policies,
        path=path,
        unique_id=unique_id,
        tags=_tags(tags),
    )
    return principal, valid_from


def _load_session(session_token: str) -> Credentials | None:
    seal = open_session(session_token)
    if seal is None:
        return None
    principal = _role_session(seal) if seal.kind is SessionKind.ROLE else _user_session(seal)
    return None if principal is None else Credentials(principal, seal.secret_key)


def _role_session(seal: SessionSeal) -> Principal | None:
    row = _one(_FIND_ROLE, seal.issuer_id)
    if row is None:
        return None
    role_row, name, path, tags, boundary, valid_from, account_id, canonical_id, display_name = row
    if _is_cut_off(seal, valid_from):
        return None
    policies = find_role_policies(role_row, boundary)
    return Principal(
        account_id,
        canonical_id,
        display_name,
        None,
        name,
        False,
        seal.access_key_id,
        replace(policies, session=_session_policies(seal)),
        path,
        seal.issuer_id,
        {**_tags(tags), **seal.tags},
        _session(seal, f"arn:aws:iam::{account_id}:role{path}{name}"),
    )


def _user_session(seal: SessionSeal) -> Principal | None:
    row = _one(_FIND_USER, seal.issuer_id)
    if row is None:
        return None
    principal, valid_from = _user_principal(row)
    if _is_cut_off(seal, valid_from):
        return None
    session = _session(seal, principal.arn)
    if seal.kind is SessionKind.USER:
        return replace(principal, access_key_id=seal.access_key_id, session=session)
    policies = principal.policies
    if principal.is_root:
        policies = PrincipalPolicies((parse_policy(_EVERYTHING, PolicyKind.IDENTITY).called("of the root user"),))
    return replace(
        principal,
        user_name=seal.name,
        is_root=False,
        access_key_id=seal.access_key_id,
        policies=replace(policies, session=_session_policies(seal) or ()),
        tags=seal.tags,
        session=session,
    )


def _session(seal: SessionSeal, issuer_arn: str) -> Session:
    return Session(
        seal.kind,
        seal.name,
        seal.issued_at,
        seal.expires_at,
        issuer_arn,
        seal.issuer_id,
        seal.tags,
        seal.transitive_tag_keys,
        seal.source_identity,
        seal.federated_provider,
        seal.claims,
    )


def _is_cut_off(seal: SessionSeal, valid_from: datetime | None) -> bool:
    return valid_from is not None and seal.issued_at < valid_from


def _session_policies(seal: SessionSeal) -> tuple[Policy, ...] | None:
    """Compile the policies of a session; a managed one that is gone allows nothing."""
    if seal.policies is None and not seal.policy_ids:
        return None
    given = tuple(parse_policy(text, PolicyKind.IDENTITY) for text in seal.policies or ())
    return given + _managed_policies(seal.policy_ids)


def _identity_policies(statement: str, holder_row: int) -> tuple[Policy, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": holder_row})
        return _compiled(cursor.fetchall())


def _boundary(policy_row: int | None) -> Policy | None:
    return None if policy_row is None else _managed_policies([policy_row])[0]


def _managed_policies(policy_rows: Iterable[int]) -> tuple[Policy, ...]:
    rows = list(policy_rows)
    if not rows:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_MANAGED_POLICIES, [rows])
        return _compiled([(name, document) for _, name, document in cursor.fetchall()])


def _compiled(rows: Iterable[tuple[str, str]]) -> tuple[Policy, ...]:
    return tuple(parse_policy(document, PolicyKind.IDENTITY).called(name) for name, document in sorted(rows))


def _one(statement: str, name: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [name])
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def _tags(stored: Mapping[str, str] | str) -> dict[str, str]:
    """Read tags; a cursor of one's own yields JSON as text."""
    return dict(json.loads(stored) if isinstance(stored, str) else stored)


def forget_principals() -> None:
    """Drop what this process remembers."""
    _key_cache.clear()
