"""One key: what it is, its versions, where it lies; download and presigned link."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from accesscontrol.models import User
from buckets.selectors import BucketRecord
from console.access import find_named_bucket, is_allowed, require
from console.forms import PresignForm
from console.keys import crumbs, download_name, parent_prefix
from console.selectors.archives import is_out_of_reach
from console.selectors.versions import list_key_versions
from console.selectors.whereabouts import find_whereabouts
from console.services.presigned_links import NoUsableKey, make_presigned_link
from console.views.browse import text_parameter
from objects.attributes import DEFAULT_CONTENT_TYPE
from objects.selectors.lookup import VersionRecord, find_parts, look_up, look_up_row
from objects.services.archive import require_unarchived
from objects.services.encryption import unwrap
from objects.services.read import iterate_version
from s3protocol import errors

VERSIONS_PAGE_SIZE = 50
PARTS_SHOWN_MAX = 100


def row_parameter(request: HttpRequest, name: str = "row") -> int | None:
    """Return the parameter that names a version's row; None without one. Raises Http404 for what is no number."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404("A version is named by a number.")
    return int(text)


def find_version(bucket: BucketRecord, key: str, row: int | None) -> VersionRecord | None:
    """Return the current version of a key, or the one of a row. Raises Http404 for a row of another key."""
    if row is None:
        found = look_up(bucket.name, key)
        return None if found is None or found.bucket.id != bucket.id else found.version
    found = look_up_row(bucket_id=bucket.id, version_row=row)
    if found is None or found.version is None or found.version.key != key:
        raise Http404("This version does not exist, or not any more.")
    return found.version


def open_version(request: HttpRequest, bucket: BucketRecord, key: str, row: int | None) -> VersionRecord | None:
    """Return the current version of a key or the one of a row, if the user may read it. Raises Http404, PermissionDenied.

    A stranger is told that it is refused, never whether the key is there.
    """
    try:
        version = find_version(bucket, key, row)
    except Http404:
        require(request, "s3:GetObjectVersion", bucket=bucket, key=key)
        raise
    require(request, "s3:GetObject" if row is None else "s3:GetObjectVersion", bucket=bucket, key=key, version=version)
    return version


@login_required
@require_safe
def show(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Show all about a key, or about one version of it."""
    return _page(request, find_named_bucket(bucket_name), text_parameter(request, "key"), row_parameter(request))


def _page(request: HttpRequest, bucket: BucketRecord, key: str, row: int | None, **more: Any) -> HttpResponse:
    version = open_version(request, bucket, key, row)
    before = row_parameter(request, "before")
    may_list_versions = is_allowed(request, bucket, "s3:ListBucketVersions", prefix=key)
    versions, has_more = list_key_versions(bucket_id=bucket.id, key=key, before=before, limit=VERSIONS_PAGE_SIZE)
    if not may_list_versions:
        versions, has_more = [one for one in versions if one.is_current and not one.is_delete_marker], False
    if version is None and not versions:
        raise Http404("There is no such object.")
    if version is not None and version.is_delete_marker:
        version = None
    places, has_more_places = ([], False) if version is None else find_whereabouts(version)
    parts = find_parts(version.id) or [] if version is not None and version.part_count else []
    context = {
        "bucket": bucket,
        "key": key,
        "row": row,
        "prefix": parent_prefix(key),
        "crumbs": crumbs(parent_prefix(key)),
        "version": version,
        "content_type": (version.content_type or DEFAULT_CONTENT_TYPE) if version else "",
        "versions": versions,
        "before": before,
        "next_before": versions[-1].row_id if has_more else None,
        "is_shown_current": bool(versions)
        and version is not None
        and any(one.is_current and one.row_id == version.id for one in versions),
        "restorable": next((one for one in versions if one.is_restorable), None),
        "parts": parts[:PARTS_SHOWN_MAX],
        "part_count": len(parts),
        "is_out_of_reach": version is not None and is_out_of_reach(version),
        "places": places,
        "has_more_places": has_more_places,
        "presign_form": PresignForm(),
        "has_dot_segments": any(step in {".", ".."} for step in key.split("/")),
        "may_write": is_allowed(request, bucket, "s3:PutObject", key),
        "may_delete": is_allowed(request, bucket, "s3:DeleteObject", key),
        "may_list_versions": may_list_versions,
        "may_read_versions": is_allowed(request, bucket, "s3:GetObjectVersion", key),
        "may_delete_versions": is_allowed(request, bucket, "s3:DeleteObjectVersion", key),
        **more,
    }
    return render(request, "console/object.html", context)


@login_required
@require_POST
def presign(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Make a presigned link and show it with the object."""
    bucket = find_named_bucket(bucket_name)
    key, row = text_parameter(request, "key"), row_parameter(request)
    form = PresignForm(request.POST)
    version = open_version(request, bucket, key, row)
    if version is None or version.is_delete_marker:
        raise Http404("There is no such object.")
    if not form.is_valid():
        return _page(request, bucket, key, row, presign_form=form)
    assert isinstance(request.user, User)
    try:
        link = make_presigned_link(
            user=request.user,
            bucket=bucket.name,
            key=key,
            version_id=None if row is None else version.version_id,
            expires_seconds=form.cleaned_data["expires_seconds"],
            console_host=request.get_host().rpartition(":")[0] or request.get_host(),
        )
    except NoUsableKey:
        return _page(
            request,
            bucket,
            key,
            row,
            presign_form=form,
            presign_problem="You have no active access key to sign with. Make one under Access, at “Your access keys”, or make a share link, which needs none.",
        )
    return _page(request, bucket, key, row, presign_form=form, link=link)


@login_required
@require_safe
def download(request: HttpRequest, bucket_name: str) -> HttpResponseBase:
    """Stream a version as a file to save; never as something that the browser would show on this origin."""
    key = text_parameter(request, "key")
    version = open_version(request, find_named_bucket(bucket_name), key, row_parameter(request))
    if version is None or version.is_delete_marker:
        raise Http404("There is no such object.")
    try:
        require_unarchived(version)
        data_key = unwrap(version.encryption)
    except errors.S3Error as error:
        # Before the answer begins: it is archived; its key is the customer's, or is disabled, or out of reach.
        return HttpResponse(error.message, status=error.status, content_type="text/plain; charset=utf-8")
    pieces: Iterable[bytes] = ()
    if request.method != "HEAD":
        pieces = iterate_version(version, 0, version.size_bytes, data_key=data_key)
    response = StreamingHttpResponse(pieces, content_type="application/octet-stream")
    response["Content-Length"] = str(version.size_bytes)
    response["Content-Disposition"] = (
        content_disposition_header(as_attachment=True, filename=download_name(key)) or "attachment"
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
