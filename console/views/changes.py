"""What changes objects: upload, delete, bring back. All by POST (an upload by PUT), all guarded against forgery."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from audit.draft import current as current_draft
from audit.services.parts import one_of_many
from buckets.selectors import BucketRecord
from console.access import find_named_bucket, is_allowed, open_bucket, principal_of, require
from console.audit_trail import audits_itself
from console.keys import decoded, visible
from console.sizes import human_duration
from console.uploads import UploadedStream, drain
from console.views.browse import text_parameter
from console.views.objects import find_version, open_version, row_parameter
from objects.attributes import checked_key
from objects.models import Object
from objects.selectors.lookup import look_up
from objects.services.delete import DeleteConditions, delete_object
from objects.services.encryption import default_choice
from objects.services.publish import UNCONDITIONAL, NewVersion
from objects.services.put import put_object
from objects.services.undelete import undelete_objects, undelete_version
from s3protocol import errors

CONTENT_TYPE_LENGTH_MAX = 255


@audits_itself
def upload(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Store the request's raw body under the key of the query string. PUT, so that Django parses nothing of it."""
    if request.method != "PUT":
        return JsonResponse({"error": "Upload with PUT."}, status=405, headers={"Allow": "PUT"})
    try:
        return _store(request, bucket_name)
    except (PermissionDenied, Http404) as refusal:
        drain(request)
        return JsonResponse({"error": str(refusal)}, status=403 if isinstance(refusal, PermissionDenied) else 404)
    except errors.S3Error as error:
        drain(request)
        return JsonResponse({"error": error.message, "code": error.code}, status=error.status)


def _store(request: HttpRequest, bucket_name: str) -> HttpResponse:
    if not request.user.is_authenticated:
        raise PermissionDenied("You are signed out. Sign in again, then upload.")
    key = checked_key(text_parameter(request, "key"))
    bucket = open_bucket(request, bucket_name, "s3:PutObject", key=key)
    if not key:
        raise errors.InvalidRequest("An object needs a key.")
    account_id = principal_of(request).account_id
    assert account_id is not None
    content_type = request.headers.get("Content-Type", "")
    published, version = put_object(
        bucket_id=bucket.id,
        key=key,
        body=UploadedStream(request),
        version=NewVersion(
            owner_id=account_id,
            size_bytes=0,
            etag="",
            content_type=content_type if len(content_type) <= CONTENT_TYPE_LENGTH_MAX else "",
        ),
        conditions=UNCONDITIONAL,
        encryption=default_choice(bucket),
    )
    return JsonResponse({"size": version.size_bytes, "etag": version.etag, "version_id": published.version_id})


@audits_itself
@login_required
@require_POST
def delete(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Delete the chosen keys."""
    bucket = find_named_bucket(bucket_name)
    chosen = [request.POST["only"]] if "only" in request.POST else request.POST.getlist("key")
    try:
        keys = [decoded(text) for text in chosen]
    except ValueError:
        raise BadRequest("A key is not UTF-8.") from None
    if not keys:
        require(request, "s3:DeleteObject", bucket=bucket)
    for key in keys:
        require(request, "s3:DeleteObject", bucket=bucket, key=key)
    owner_id = principal_of(request).account_id
    assert owner_id is not None
    deleted = []
    for key in keys:
        try:
            with one_of_many(current_draft(), action="s3:DeleteObject", key=key):
                delete_object(bucket_id=bucket.id, key=key, owner_id=owner_id, version_id=None)
            deleted.append(key)
        except errors.S3Error as error:
            messages.error(request, f"{visible(key)} stays: {error.message}")
    if deleted:
        what = visible(deleted[0]) if len(deleted) == 1 else f"{len(deleted):,} objects"
        messages.success(request, f"Deleted {what}. {_way_back(bucket)}")
    if not keys:
        messages.info(request, "Nothing was chosen, so nothing was deleted.")
    return _to_listing(request, bucket)


def _way_back(bucket: BucketRecord) -> str:
    if bucket.versioning:
        return "Older versions are kept; look under Deleted to bring it back."
    if bucket.history_seconds:
        return f"Under Deleted it can be brought back for {human_duration(bucket.history_seconds)}."
    return "This bucket keeps no history."


@login_required
@require_POST
def restore(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Make a version of a key the current one again, as a new version that shares its bytes."""
    key, row = text_parameter(request, "key"), row_parameter(request)
    bucket = open_bucket(request, bucket_name, "s3:PutObject", key=key)
    if row is None or open_version(request, bucket, key, row) is None:
        raise Http404("This version does not exist, or not any more.")
    try:
        undelete_version(bucket_id=bucket.id, version_row=row)
    except (errors.NoSuchVersion, errors.NoSuchKey):
        messages.error(request, "This version has just been erased for good.")
    except errors.MethodNotAllowed:
        messages.error(request, "A delete marker holds nothing to bring back.")
    except errors.S3Error as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{visible(key)} is back.")
    return _to_object(bucket, key)


@login_required
@require_POST
def restore_all(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Bring back the deleted objects below a prefix, a bounded number at a time; again goes on."""
    prefix = text_parameter(request, "prefix")
    bucket = open_bucket(request, bucket_name, "s3:ListBucketVersions", prefix=prefix)
    page = undelete_objects(
        bucket_id=bucket.id,
        bucket_name=bucket.name,
        prefix=prefix,
        may_write=lambda key: is_allowed(request, bucket, "s3:PutObject", key),
    )
    refused = [one for one in page.keys if one.error is not None]
    messages.success(request, f"{len(page.keys) - len(refused):,} objects are back.")
    if refused:
        messages.error(request, f"{len(refused):,} stay deleted, {visible(refused[0].key)} among them.")
    if page.next_after is not None:
        messages.info(request, "There may be more: bring all back again to go on.")
    query = f"?{urlencode({'prefix': prefix})}" if prefix else ""
    return redirect(reverse("console:deleted", args=[bucket.name]) + query)


@login_required
@require_POST
def delete_version(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Delete one version or delete marker for good; what history keeps of it is all that is left."""
    key, row = text_parameter(request, "key"), row_parameter(request)
    bucket = open_bucket(request, bucket_name, "s3:DeleteObjectVersion", key=key)
    version = None if row is None else find_version(bucket, key, row)
    owner_id = principal_of(request).account_id
    if version is None or owner_id is None:
        raise Http404("This version does not exist, or not any more.")
    # The version id "null" moves on to the next write: delete nothing but what the page showed.
    visible_now = look_up(bucket.name, key, version.version_id)
    if visible_now is None or visible_now.version is None or visible_now.version.id != row:
        messages.error(request, "This version is in history already; it goes when its time is over.")
        return _to_object(bucket, key)
    conditions = DeleteConditions(if_match=None if version.is_delete_marker else version.etag)
    try:
        delete_object(
            bucket_id=bucket.id, key=key, owner_id=owner_id, version_id=version.version_id, conditions=conditions
        )
    except errors.PreconditionFailed:
        messages.error(request, "The object was just written anew, so nothing was deleted. Look again.")
    except errors.S3Error as error:
        messages.error(request, error.message)
    else:
        what = "delete marker is gone" if version.is_delete_marker else "version is deleted"
        messages.success(request, f"The {what}.")
    return _to_object(bucket, key)


def _to_listing(request: HttpRequest, bucket: BucketRecord) -> HttpResponse:
    where = {name: text_parameter(request, name) for name in ("prefix", "begins", "after")}
    query = urlencode({name: value for name, value in where.items() if value})
    return redirect(reverse("console:browse", args=[bucket.name]) + (f"?{query}" if query else ""))


def _to_object(bucket: BucketRecord, key: str) -> HttpResponse:
    """Lead to the key's page; to the listing where nothing is left of the key."""
    if Object.objects.filter(bucket_id=bucket.id, key=key).exists():
        return redirect(reverse("console:object", args=[bucket.name]) + "?" + urlencode({"key": key}))
    return redirect("console:browse", bucket_name=bucket.name)
