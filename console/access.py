"""Who is at the browser, and what they may open. Every view of data comes through `require`.

What is not known to be allowed is refused: nobody gets further than the line that asks.
"""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone

from accesscontrol.authorization import decide
from accesscontrol.models import User
from accesscontrol.policy import Decision
from accesscontrol.principal import ANONYMOUS, Principal
from accesscontrol.request_facts import RequestFacts, StatedValues
from accesscontrol.selectors import principal_of_user
from buckets.selectors import BucketRecord, find_bucket
from console.audit_trail import note_decision
from objects.selectors.lookup import VersionRecord


def principal_of(request: HttpRequest) -> Principal:
    """Return the principal that a signed-in user's requests through S3 would have, too; found once for a request."""
    user = request.user
    if not isinstance(user, User) or not user.is_active:
        return ANONYMOUS
    remembered = getattr(request, "_principal", None)
    if remembered is None:
        remembered = request._principal = principal_of_user(user)  # type: ignore[attr-defined]  # noqa: SLF001
    return remembered


def facts_of(request: HttpRequest) -> RequestFacts:
    """Return what conditions of policies may ask of a request to the console."""
    return RequestFacts(
        headers=request.headers,
        source_ip=request.META.get("REMOTE_ADDR", ""),
        is_secure=request.is_secure(),
        now=timezone.now(),
        region=settings.OBJSTORE_REGION,
    )


def decide_for(
    request: HttpRequest,
    action: str,
    *,
    bucket: BucketRecord | None = None,
    key: str | None = None,
    version: VersionRecord | None = None,
    stated: StatedValues | None = None,
) -> Decision:
    """Decide about an action on the service, on a bucket, or on a key and what was found there; `stated` as in `request_facts`.

    No statements but the principal's.
    """
    return decide(
        principal_of(request),
        action=action,
        bucket=bucket,
        key=key,
        version=version,
        facts=facts_of(request),
        stated=stated,
    )


def require(
    request: HttpRequest,
    *actions: str,
    bucket: BucketRecord | None = None,
    key: str | None = None,
    version: VersionRecord | None = None,
    stated: StatedValues | None = None,
) -> None:
    """Let nobody pass whom access control does not allow every one of the actions. Raises PermissionDenied with why."""
    assert actions, "a view says what it does"
    for action in actions:
        decision = decide_for(request, action, bucket=bucket, key=key, version=version, stated=stated)
        note_decision(action, key, decision)
        if not decision.is_allowed:
            raise PermissionDenied(f"{action}: {decision.reason}.")


SEARCH_AUDIT = "objstore:SearchAudit"


def audit_visibility(request: HttpRequest) -> str | None:
    """Return whose audit rows the user may see: None is everybody's, for operators. Raises PermissionDenied.

    The root user of an account may see the account's, and so may whom a policy allows `objstore:SearchAudit`.
    """
    user = request.user
    if isinstance(user, User) and user.is_active and user.is_superuser:
        return None
    require(request, SEARCH_AUDIT)
    account_id = principal_of(request).account_id
    if account_id is None:
        raise PermissionDenied("Nobody is signed in.")
    return account_id


def find_named_bucket(name: str) -> BucketRecord:
    """Return a bucket about which nothing is decided yet. Raises Http404."""
    bucket = find_bucket(name)
    if bucket is None:
        raise Http404(f"There is no bucket {name}.")
    return bucket


def listing_of(prefix: str) -> StatedValues:
    """Return what a request says that lists a prefix, so that policies with `s3:prefix` hold here as they do for clients."""
    return {"s3:prefix": prefix}


def open_bucket(
    request: HttpRequest, name: str, *actions: str, key: str | None = None, prefix: str | None = None
) -> BucketRecord:
    """Return a bucket on which (on a key of which) the user may do all the actions. Raises Http404, PermissionDenied.

    `prefix` is the one that is listed, for the actions that list.
    """
    bucket = find_named_bucket(name)
    require(request, *actions, bucket=bucket, key=key, stated=None if prefix is None else listing_of(prefix))
    return bucket


def is_allowed(
    request: HttpRequest, bucket: BucketRecord, action: str, key: str | None = None, *, prefix: str | None = None
) -> bool:
    """Tell whether to offer an action on a bucket or a key; the view that does it decides again."""
    stated = None if prefix is None else listing_of(prefix)
    return decide_for(request, action, bucket=bucket, key=key, stated=stated).is_allowed
