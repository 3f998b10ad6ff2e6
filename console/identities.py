"""IAM as the console's pages call it: the operations of the API themselves, by whoever is signed in.

What the API refuses, a page refuses, for the same reason and in the same words: there is no other way to a user, group,
role, policy or key of an account. An operator sees his own account here, and the others in the admin.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accesscontrol.query_context import QueryContext, authorize_operation
from console.access import facts_of, principal_of
from console.audit_trail import note_decision
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


def told(error: errors.QueryError) -> str:
    """Return what a page says of an error: without the encoded message, which is for programs."""
    return error.message.partition(". Encoded authorization")[0]
