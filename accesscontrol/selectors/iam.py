"""Reads of users, groups, roles and policies by the names that IAM gives them, and pages of them in order."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Upper

from accesscontrol.arns import BUILT_IN_ACCOUNT, entity_arn, read_arn
from accesscontrol.models import (
    AccessKey,
    ManagedPolicy,
    OidcProvider,
    PolicyAttachment,
    PolicyVersion,
    Role,
    User,
    UserGroup,
)
from s3protocol.query import errors

PAGE_ITEMS_DEFAULT = 100
PAGE_ITEMS_MAX = 1_000

Holder = User | UserGroup | Role
M = TypeVar("M", bound=Model)
T = TypeVar("T")


def iam_users(account_id: str) -> QuerySet[User]:
    """Return an account's users; its root user is none of IAM's."""
    return User.objects.filter(account_id=account_id, is_root=False)


def find_user(account_id: str, name: str) -> User:
    """Return a user by name, in whatever case. Raises NoSuchEntity."""
    return _found(iam_users(account_id).filter(name__iexact=name), "user", name)


def find_group(account_id: str, name: str) -> UserGroup:
    """Return a group by name. Raises NoSuchEntity."""
    return _found(UserGroup.objects.filter(account_id=account_id, name__iexact=name), "group", name)


def find_role(account_id: str, name: str) -> Role:
    """Return a role by name. Raises NoSuchEntity."""
    return _found(Role.objects.filter(account_id=account_id, name__iexact=name), "role", name)


def find_access_key(user: User, access_key_id: str) -> AccessKey:
    """Return a key of a user's. Raises NoSuchEntity."""
    key = AccessKey.objects.filter(user=user, access_key_id=access_key_id).first()
    if key is None:
        raise errors.NoSuchEntity(f"The Access Key with id {access_key_id} cannot be found.")
    return key


def _found(rows: QuerySet[M], kind: str, name: str) -> M:
    row = rows.first()
    if row is None:
        raise errors.NoSuchEntity(f"The {kind} with name {name} cannot be found.")
    return row


def visible_policies(account_id: str) -> QuerySet[ManagedPolicy]:
    """Return the managed policies that an account may use: its own and the built-in ones."""
    return ManagedPolicy.objects.filter(Q(account_id=account_id) | Q(account=None))


def find_policy(account_id: str, arn: str) -> ManagedPolicy:
    """Return a managed policy by ARN. Raises NoSuchEntity, InvalidInput for what is no policy's ARN."""
    read = read_arn(arn)
    if read is None or read.kind != "policy":
        raise errors.InvalidInput(f"ARN {arn} is not valid.")
    owner = None if read.account_id == BUILT_IN_ACCOUNT else read.account_id
    rows = visible_policies(account_id).filter(account_id=owner, name__iexact=read.name, path=read.path)
    policy = rows.first()
    if policy is None:
        raise errors.NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
    return policy


def find_policy_version(policy: ManagedPolicy, version_id: str) -> PolicyVersion:
    """Return a version of a policy by its id (`v2`). Raises NoSuchEntity."""
    number = version_id.removeprefix("v").partition(".")[0]
    version = PolicyVersion.objects.filter(policy=policy, number=int(number)).first() if len(number) < 9 else None
    if version is None:
        raise errors.NoSuchEntity(f"Policy {policy_arn(policy)} version {version_id} does not exist.")
    return version


def find_provider(account_id: str, arn: str) -> OidcProvider:
    """Return an identity provider by ARN. Raises NoSuchEntity."""
    prefix = f"arn:aws:iam::{account_id}:oidc-provider/"
    url = arn.removeprefix(prefix)
    rows = OidcProvider.objects.filter(account_id=account_id, url__in=[url, f"http://{url}"])
    provider = rows.first() if arn.startswith(prefix) else None
    if provider is None:
        raise errors.NoSuchEntity(f"OpenIDConnect Provider not found for arn {arn}")
    return provider


def count_policy_usage(account_id: str, policies: Sequence[ManagedPolicy]) -> dict[int, tuple[int, int]]:
    """Count, for each policy, whom of an account it is attached to and whom it bounds. Three statements."""
    attached = PolicyAttachment.objects.filter(
        Q(user__account_id=account_id) | Q(group__account_id=account_id) | Q(role__account_id=account_id),
        policy__in=policies,
    )
    attachments = Counter(attached.values_list("policy_id", flat=True))
    boundaries: Counter[int | None] = Counter()
    for rows in (User.objects, Role.objects):
        boundaries.update(
            rows.filter(account_id=account_id, boundary__in=policies).values_list("boundary_id", flat=True)
        )
    return {policy.pk: (attachments[policy.pk], boundaries[policy.pk]) for policy in policies}


def policy_arn(policy: ManagedPolicy) -> str:
    """Name a managed policy."""
    return entity_arn(policy.account_id, "policy", policy.path, policy.name)


def holder_arn(holder: Holder) -> str:
    """Name a user, a group or a role."""
    if isinstance(holder, User) and holder.is_root:
        return f"arn:aws:iam::{holder.account_id}:root"
    return entity_arn(holder.account_id, holder_kind(holder), holder.path, holder.name)


def holder_kind(holder: Holder) -> str:
    """Say what a holder of policies is, in the words of ARNs; it is the name of the column, too."""
    return "user" if isinstance(holder, User) else "role" if isinstance(holder, Role) else "group"


def page_of_rows(
    rows: QuerySet[M], *, marker: str | None, max_items: int | None, by: str = "name"
) -> tuple[list[M], dict[str, Any]]:
    """Return a page of rows in the order of a name, and the members that say whether more follow. One statement."""
    count = max_items or PAGE_ITEMS_DEFAULT
    ordered = rows.annotate(sort_key=Upper(by)).order_by("sort_key", "pk")
    if marker is not None:
        ordered = ordered.filter(sort_key__gt=_read_marker(marker))
    found = list(ordered[: count + 1])
    return found[:count], _more(found, count, lambda row: str(getattr(row, "sort_key", "")))


def page_of_list(
    items: Sequence[T], *, key: Callable[[T], str], marker: str | None, max_items: int | None
) -> tuple[list[T], dict[str, Any]]:
    """Return a page of what is there in memory, in the order of a key that no two share."""
    count = max_items or PAGE_ITEMS_DEFAULT
    after = None if marker is None else _read_marker(marker)
    found = [item for item in sorted(items, key=key) if after is None or key(item) > after]
    return found[:count], _more(found, count, key)


def _more(found: Sequence[T], count: int, key: Callable[[T], str]) -> dict[str, Any]:
    if len(found) <= count:
        return {"IsTruncated": False}
    marker = base64.urlsafe_b64encode(key(found[count - 1]).encode()).decode().rstrip("=")
    return {"IsTruncated": True, "Marker": marker}


def _read_marker(marker: str) -> str:
    try:
        padded = marker + "=" * (-len(marker) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise errors.ValidationError("Invalid Marker.") from None
    if "\0" in text:
        raise errors.ValidationError("Invalid Marker.")
    return text
