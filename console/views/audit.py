"""The audit log: its search, one of its rows, and the timeline of a key."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit import selectors
from console.access import audit_visibility, find_named_bucket
from console.keys import crumbs, parent_prefix
from console.views.browse import text_parameter

PAGE_SIZE = 50

FIELDS = (
    ("bucket", "Bucket"),
    ("key", "Key"),
    ("prefix", "Key begins with"),
    ("principal", "Principal (ARN)"),
    ("access_key_id", "Access key"),
    ("account_id", "Account"),
    ("operation", "Operation"),
    ("action", "Action"),
    ("source", "Source"),
    ("source_ip", "From address"),
    ("status", "Status"),
    ("error_code", "Error code"),
    ("request_id", "Request id"),
    ("version_id", "Version id"),
    ("since", "Not before"),
    ("until", "Before"),
)


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Search the rows that the user may see."""
    visible_to = audit_visibility(request)
    problem, rows = "", []
    try:
        wanted = selectors.filter_from(request.GET)
        after = selectors.place_from(request.GET.get("after", ""))
        rows = selectors.search(wanted, limit=PAGE_SIZE, after=after, visible_to=visible_to)
    except ValueError as error:
        problem = str(error)
    context = {
        "tab": "audit",
        "is_outside_buckets": True,
        "fields": [(name, label, request.GET.get(name, "")) for name, label in FIELDS],
        "is_narrowed": any(request.GET.get(name) for name, _ in FIELDS),
        "is_refused": request.GET.get("is_refused", ""),
        "problem": problem,
        "rows": rows,
        **_pages(request, rows),
    }
    return render(request, "console/audit.html", context, status=400 if problem else 200)


@login_required
@require_safe
def show(request: HttpRequest, row_id: int) -> HttpResponse:
    """Show all about a row."""
    visible_to = audit_visibility(request)
    row = selectors.find_row(row_id) if row_id < 1 << 63 else None
    if row is None or (visible_to is not None and visible_to not in (row.account_id, row.owner_id)):
        raise Http404("There is no such row in the audit log.")
    context = {
        "tab": "audit",
        "is_outside_buckets": True,
        "row": row,
        "may_know_why": selectors.is_reason_visible(row, visible_to),
        "columns": selectors.document(row, visible_to=visible_to),
    }
    return render(request, "console/audit_row.html", context)


@login_required
@require_safe
def timeline(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Show what happened to a key, newest first."""
    bucket = find_named_bucket(bucket_name)
    key = text_parameter(request, "key")
    visible_to = audit_visibility(request)
    try:
        after = selectors.place_from(request.GET.get("after", ""))
    except ValueError:
        raise BadRequest("This is no place in a timeline.") from None
    rows = selectors.timeline(bucket=bucket.name, key=key, limit=PAGE_SIZE, after=after, visible_to=visible_to)
    prefix = parent_prefix(key)
    context = {
        "bucket": bucket,
        "key": key,
        "prefix": prefix,
        "crumbs": crumbs(prefix),
        "rows": rows,
        **_pages(request, rows),
    }
    return render(request, "console/timeline.html", context)


def _pages(request: HttpRequest, rows: list[Any]) -> dict[str, str]:
    """Return the addresses of the first and the next page, where there are others."""
    query = {name: value for name, value in request.GET.items() if name != "after" and value}
    pages = {}
    if request.GET.get("after"):
        pages["first_page"] = "?" + urlencode(query)
    if len(rows) == PAGE_SIZE:
        pages["next_page"] = "?" + urlencode({**query, "after": str(selectors.place_of(rows[-1]))})
    return pages
