"""Share links: those there are, a new one, the end of one."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import find_named_bucket
from console.keys import crumbs, parent_prefix
from console.sharing import ShareForm, address_of, end_link, make_link, visible_links
from console.views.browse import text_parameter
from console.views.objects import row_parameter
from sharing.selectors import why_ended


@login_required
@require_safe
def list_links(request: HttpRequest) -> HttpResponse:
    """List the links that the user may see."""
    now = datetime.now(UTC)
    rows = [(link, why_ended(link, now)) for link in visible_links(request)]
    return render(request, "console/shares.html", {"tab": "shares", "is_outside_buckets": True, "rows": rows})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Ask how a key or prefix is to be shared; make the link and show it, this once."""
    bucket = find_named_bucket(bucket_name)
    is_prefix = "prefix" in request.GET
    key = text_parameter(request, "prefix" if is_prefix else "key")
    form = ShareForm(request.POST if request.method == "POST" else None)
    prefix = key if is_prefix else parent_prefix(key)
    context = {"bucket": bucket, "key": key, "is_prefix": is_prefix, "form": form, "tab": "share"}
    context |= {"prefix": prefix, "crumbs": crumbs(prefix)}
    if request.method == "POST" and form.is_valid():
        made = make_link(request, bucket, key, row_parameter(request), is_prefix=is_prefix, form=form)
        context["link"] = address_of(request, made)
    return render(request, "console/share.html", context)


@login_required
@require_POST
def revoke(request: HttpRequest, link_id: int) -> HttpResponse:
    """End a link."""
    end_link(request, link_id)
    messages.success(request, "The link gives nothing any more.")
    return redirect("console:shares")
