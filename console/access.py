"""Who is at the browser, and what they may open. Every view of a bucket comes through `open_bucket`; it fails closed."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from accesscontrol.authorization import decide
from accesscontrol.models import User
from accesscontrol.principal import ANONYMOUS, Principal
from buckets.selectors import BucketRecord, find_bucket


def principal_of(request: HttpRequest) -> Principal:
    """Return the principal that a signed-in user's requests through S3 would have, too."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    account = user.account
    return Principal(
        account_id=account.pk,
        canonical_id=account.canonical_id,
        display_name=account.display_name or account.name,
        user_id=user.pk,
        user_name=user.name,
        is_root=user.is_root,
    )


def require(principal: Principal, action: str, *, owner_id: str | None) -> None:
    """Let nobody pass whom access control does not allow the action. Raises PermissionDenied, which says why."""
    decision = decide(principal, action=action, owner_id=owner_id)
    if not decision.is_allowed:
        raise PermissionDenied(f"{action}: {decision.reason}.")


def open_bucket(request: HttpRequest, name: str, *actions: str) -> BucketRecord:
    """Return a bucket on which the signed-in user may do all the actions. Raises Http404, PermissionDenied."""
    assert actions, "a view says what it does"
    bucket = find_bucket(name)
    if bucket is None:
        raise Http404(f"There is no bucket {name}.")
    principal = principal_of(request)
    for action in actions:
        require(principal, action, owner_id=bucket.owner_id)
    return bucket


def is_allowed(request: HttpRequest, bucket: BucketRecord, action: str) -> bool:
    """Tell whether to offer an action on a bucket."""
    return decide(principal_of(request), action=action, owner_id=bucket.owner_id).is_allowed
