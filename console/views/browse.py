"""Inside a bucket: the listing of a prefix, and what was deleted below it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.access import is_allowed, open_bucket
from console.keys import DELIMITER, crumbs, decoded
from objects.listing import walk_bounds
from objects.selectors.deleted import list_deleted
from objects.selectors.listing import list_objects
from objects.selectors.usage import find_usage
from objects.services.put import PUT_SIZE_BYTES_MAX

PAGE_SIZE = 100


def text_parameter(request: HttpRequest, name: str) -> str:
    """Return a parameter that holds a key or a part of one. Raises Http404 for what no key can hold."""
    text: str = request.GET.get(name, "")
    if "\0" in text:
        raise Http404("No key holds a null character.")
    return text


def _prefix(request: HttpRequest) -> str:
    """Return the prefix to list: of the address, or of the search form, where it is encoded once more."""
    if "in" not in request.GET:
        return text_parameter(request, "prefix")
    try:
        return decoded(text_parameter(request, "in"))
    except ValueError:
        raise Http404("There is no such prefix.") from None


@login_required
@require_safe
def browse(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """List a prefix, a page at a time. Cost: one statement, whatever the bucket's size."""
    prefix, begins = _prefix(request), text_parameter(request, "begins")
    bucket = open_bucket(request, bucket_name, "s3:ListBucket", prefix=prefix + begins)
    after = text_parameter(request, "after")
    bounds = walk_bounds(prefix=prefix + begins, delimiter=DELIMITER, after=after)
    listed, is_truncated = list_objects(bucket_id=bucket.id, bounds=bounds, limit=PAGE_SIZE)
    context = {
        "bucket": bucket,
        "usage": find_usage([bucket.id])[bucket.id],
        "prefix": prefix,
        "begins": begins,
        "crumbs": crumbs(prefix),
        "rows": sorted(listed, key=lambda row: not row.is_common_prefix),  # folders first, as people expect
        "after": after,
        "next_after": listed[-1].name if is_truncated else None,
        "may_read": is_allowed(request, bucket, "s3:GetObject", prefix),
        "may_write": is_allowed(request, bucket, "s3:PutObject", prefix),
        "may_delete": is_allowed(request, bucket, "s3:DeleteObject", prefix),
        "may_list_versions": is_allowed(request, bucket, "s3:ListBucketVersions", prefix=prefix),
        "size_bytes_max": PUT_SIZE_BYTES_MAX,
    }
    return render(request, "console/browse.html", context)


@login_required
@require_safe
def deleted(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """List what is gone below a prefix and can be brought back."""
    prefix, after = text_parameter(request, "prefix"), text_parameter(request, "after")
    bucket = open_bucket(request, bucket_name, "s3:ListBucketVersions", prefix=prefix)
    page = list_deleted(bucket_id=bucket.id, prefix=prefix, after=after, limit=PAGE_SIZE)
    context = {
        "bucket": bucket,
        "prefix": prefix,
        "crumbs": crumbs(prefix),
        "rows": page.keys,
        "after": after,
        "next_after": page.next_after,
        "may_write": is_allowed(request, bucket, "s3:PutObject", prefix),
    }
    return render(request, "console/deleted.html", context)
