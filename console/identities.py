"""IAM as the console's pages call it: the operations of the API themselves, by whoever is signed in.

What the API refuses, a page refuses, for the same reason and in the same words: there is no other way to a user, group,
role, policy or key of an account. An operator sees his own account here, and the others in the admin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accesscontrol.query_context import QueryContext, authorize_operation
from accesscontrol.request_facts import StatedValues
from console.access import facts_of, principal_of
from console.audit_trail import note_decision
from s3protocol.model import snake_case
from s3protocol.query import Service, codec_for, errors
from s3protocol.query.registry import QUERY_REGISTRY

PAGE_SIZE = 100
_AS_TYPED = frozenset({"OldPassword", "NewPassword"})


def call(request: HttpRequest, name: str, **members: str) -> dict[str, Any]:
    """Call an operation of IAM with members by their names in the API; empty ones are left out.

    Raises QueryError; then nothing has changed.
    """
    operation = QUERY_REGISTRY[name]
    typed = {member: value if member in _AS_TYPED else value.strip() for member, value in members.items()}
    form = {member: value for member, value in typed.items() if value}
    if any("\0" in value for value in form.values()):
        raise errors.ValidationError("A value holds a NUL character.")
    arguments = codec_for(Service.IAM, name).parse(form)
    context = QueryContext(principal_of(request), facts_of(request), note_decision)
    authorize_operation(operation, context, arguments)
    try:
        with transaction.atomic():
            return dict(operation.function(context, **arguments))
    except ObjectDoesNotExist:  # the rival deleted it a moment ago
        raise errors.NoSuchEntity from None
    except IntegrityError:  # the rival changed what this hangs on
        raise errors.ConcurrentModification from None


def call_if_allowed(request: HttpRequest, name: str, **members: str) -> dict[str, Any]:
    """Call an operation that a part of a page shows; nothing where it is refused."""
    try:
        return call(request, name, **members)
    except errors.AccessDenied:
        return {}


def decider(request: HttpRequest, operation_name: str, **members: str) -> Callable[..., bool]:
    """Return what tells whether to offer an operation on what one operation would be about; the call decides again.

    `stated` are values of condition keys beside those that follow from the target. Cost: one statement, then none.
    """
    context = QueryContext(principal_of(request), facts_of(request))
    arguments = {snake_case(name): value for name, value in members.items() if value}
    target = QUERY_REGISTRY[operation_name].find_target(context, arguments)

    def is_offered(name: str, *, stated: StatedValues | None = None) -> bool:
        action = QUERY_REGISTRY[name].action
        return context.decide(action, target.arn, stated={**target.stated, **(stated or {})}).is_allowed

    return is_offered


def is_offered_on(request: HttpRequest, name: str, arn: str = "*") -> bool:
    """Tell whether to offer an operation on what an ARN names. Cost: no statement."""
    context = QueryContext(principal_of(request), facts_of(request))
    return context.decide(QUERY_REGISTRY[name].action, arn).is_allowed


def readable(document: str) -> str:
    """Lay out a policy that was written on one line; one that was laid out stays as it is."""
    return document if "\n" in document.strip() else json.dumps(json.loads(document), indent=2, ensure_ascii=False)


def told(error: errors.QueryError) -> str:
    """Return what a page says of an error: without the encoded message, which is for programs."""
    return error.message.partition(". Encoded authorization")[0]
