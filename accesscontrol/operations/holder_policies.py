"""IAM's operations on the policies of users, groups and roles: seven for each, the same but for the name of the holder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accesscontrol.models import InlinePolicy, PolicyAttachment
from accesscontrol.operations.members import document_text
from accesscontrol.operations.targets import group_target, role_target, user_target
from accesscontrol.query_context import QueryContext
from accesscontrol.selectors.iam import (
    Holder,
    find_group,
    find_role,
    find_user,
    holder_kind,
    page_of_list,
    page_of_rows,
    policy_arn,
)
from accesscontrol.services import policies
from s3protocol.query import errors
from s3protocol.query.registry import FindTarget, query_operation

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of holder: its name in operations (`User`), the keyword of its name, and how one is found."""

    name: str
    keyword: str
    find: Callable[[str, str], Holder]
    target: FindTarget


KINDS = (
    Kind("User", "user_name", find_user, user_target),
    Kind("Group", "group_name", find_group, group_target),
    Kind("Role", "role_name", find_role, role_target),
)


def _put(kind: Kind) -> Callable[..., Result]:
    def put_policy(context: QueryContext, *, policy_name: str, policy_document: str, **named: str) -> Result:
        """Set an inline policy."""
        holder = kind.find(context.account_id, named[kind.keyword])
        policies.put_inline_policy(holder, name=policy_name, document=policy_document)
        return {}

    return put_policy


def _get(kind: Kind) -> Callable[..., Result]:
    def get_policy(context: QueryContext, *, policy_name: str, **named: str) -> Result:
        """Show an inline policy."""
        holder = kind.find(context.account_id, named[kind.keyword])
        row = InlinePolicy.objects.filter(name__iexact=policy_name, **{holder_kind(holder): holder}).first()
        if row is None:
            raise errors.NoSuchEntity(f"The {holder_kind(holder)} policy with name {policy_name} cannot be found.")
        return {
            f"{kind.name}Name": holder.name,
            "PolicyName": row.name,
            "PolicyDocument": document_text(row.document),
        }

    return get_policy


def _list(kind: Kind) -> Callable[..., Result]:
    def list_policies(
        context: QueryContext, *, marker: str | None = None, max_items: int | None = None, **named: str
    ) -> Result:
        """List the names of inline policies."""
        holder = kind.find(context.account_id, named[kind.keyword])
        rows = InlinePolicy.objects.filter(**{holder_kind(holder): holder})
        page, more = page_of_rows(rows, marker=marker, max_items=max_items)
        return {"PolicyNames": [row.name for row in page], **more}

    return list_policies


def _delete(kind: Kind) -> Callable[..., Result]:
    def delete_policy(context: QueryContext, *, policy_name: str, **named: str) -> Result:
        """Delete an inline policy."""
        policies.delete_inline_policy(kind.find(context.account_id, named[kind.keyword]), name=policy_name)
        return {}

    return delete_policy


def _attach(kind: Kind) -> Callable[..., Result]:
    def attach_policy(context: QueryContext, *, policy_arn: str, **named: str) -> Result:
        """Give a holder a managed policy."""
        policies.attach_policy(kind.find(context.account_id, named[kind.keyword]), arn=policy_arn)
        return {}

    return attach_policy


def _detach(kind: Kind) -> Callable[..., Result]:
    def detach_policy(context: QueryContext, *, policy_arn: str, **named: str) -> Result:
        """Take a managed policy away."""
        policies.detach_policy(kind.find(context.account_id, named[kind.keyword]), arn=policy_arn)
        return {}

    return detach_policy


def _list_attached(kind: Kind) -> Callable[..., Result]:
    def list_attached_policies(
        context: QueryContext,
        *,
        path_prefix: str = "/",
        marker: str | None = None,
        max_items: int | None = None,
        **named: str,
    ) -> Result:
        """List the managed policies of a holder."""
        holder = kind.find(context.account_id, named[kind.keyword])
        rows = PolicyAttachment.objects.filter(**{holder_kind(holder): holder}).select_related("policy")
        attached = [attached_members(row) for row in rows if row.policy.path.startswith(path_prefix)]
        page, more = page_of_list(attached, key=lambda one: one["PolicyArn"], marker=marker, max_items=max_items)
        return {"AttachedPolicies": page, **more}

    return list_attached_policies


def attached_members(row: PolicyAttachment) -> dict[str, str]:
    """Render an attachment."""
    return {"PolicyName": row.policy.name, "PolicyArn": policy_arn(row.policy)}


_PAGED = ("marker", "max_items")
_MADE: tuple[tuple[str, Callable[[Kind], Callable[..., Result]], tuple[str, ...]], ...] = (
    ("Put{}Policy", _put, ("policy_name", "policy_document")),
    ("Get{}Policy", _get, ("policy_name",)),
    ("List{}Policies", _list, _PAGED),
    ("Delete{}Policy", _delete, ("policy_name",)),
    ("Attach{}Policy", _attach, ("policy_arn",)),
    ("Detach{}Policy", _detach, ("policy_arn",)),
    ("ListAttached{}Policies", _list_attached, ("path_prefix", *_PAGED)),
)
for _kind in KINDS:
    for _pattern, _make, _members in _MADE:
        _name = _pattern.format(_kind.name)
        query_operation(_name, action=f"iam:{_name}", about=_kind.target, takes=(_kind.keyword, *_members))(
            _make(_kind)
        )
