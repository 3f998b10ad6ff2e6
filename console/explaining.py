"""Who may ask why: operators anything, an account about its own principals (and anybody) on its own buckets and roles.

An explanation shows the statements of policies; those of another account are nobody's business here.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone

from accesscontrol.arns import read_arn
from accesscontrol.explanation import Explanation
from accesscontrol.request_facts import RequestFacts
from accesscontrol.selectors.subjects import UnknownSubject, find_principal
from accesscontrol.selectors.trust import is_about_trust
from audit import selectors
from audit.models import AuditEvent
from buckets.selectors import find_bucket
from console.access import audit_visibility
from objects.selectors.explanation import explain_access, read_context, split_resource


def ask(request: HttpRequest, asked: Mapping[str, str]) -> Explanation:
    """Answer the question of a form or of the API. Raises UnknownSubject, PermissionDenied."""
    visible_to = audit_visibility(request)
    if any("\0" in value for value in asked.values()):
        raise UnknownSubject("a name holds a NUL character")
    bucket, key = split_resource(asked.get("resource", "").strip())
    if not (bucket or key) and asked.get("resource", "").strip() != "*":
        raise UnknownSubject("give a resource: bucket, bucket/key, an ARN, or * for the service")
    principal_arn = asked.get("principal", "").strip()
    action = asked.get("action", "").strip()
    if visible_to is not None:
        _require_own(visible_to, principal_arn, bucket, key if is_about_trust(action, key or "*") else None)
    facts = RequestFacts(
        source_ip=asked.get("source_ip", "").strip(),
        is_secure=asked.get("insecure", "") not in ("on", "true"),
        now=timezone.now(),
        region=settings.OBJSTORE_REGION,
    )
    return explain_access(
        principal=find_principal(principal_arn),
        action=action,
        bucket_name=bucket,
        key=key,
        version_id=asked.get("version_id", "").strip() or None,
        facts=facts,
        stated=read_context(asked.get("context", "").splitlines()),
    )


def _require_own(account_id: str, principal_arn: str, bucket_name: str | None, role_arn: str | None) -> None:
    """Raise PermissionDenied for another account's principal, bucket or role, alike whether it is there or not."""
    # The fifth part, and nothing behind it: what a session is called is for whoever asks to say.
    is_own_principal = ":" not in principal_arn or principal_arn.split(":")[4:5] == [account_id]
    bucket = None if bucket_name is None else find_bucket(bucket_name)
    is_own_bucket = bucket_name is None or (bucket is not None and bucket.owner_id == account_id)
    role = None if role_arn is None else read_arn(role_arn)
    is_own_role = role is None or role.account_id == account_id
    if not (is_own_principal and is_own_bucket and is_own_role):
        raise PermissionDenied("Explanations are about principals, buckets and roles of your own account.")


def explainable_row(request: HttpRequest, row_id: int) -> AuditEvent:
    """Return a row of the audit log of which the user may know why. Raises Http404, PermissionDenied."""
    visible_to = audit_visibility(request)
    row = selectors.find_row(row_id) if row_id < 1 << 63 else None
    if row is None or (visible_to is not None and visible_to not in (row.account_id, row.owner_id)):
        raise Http404("There is no such row in the audit log.")
    if visible_to is not None:
        is_own = row.owner_id in (None, visible_to) and row.account_id in (None, visible_to)
        if not is_own:
            raise PermissionDenied(
                "Principal or bucket belong to another account, whose policies are its own business."
            )
    return row
