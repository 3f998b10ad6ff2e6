"""A bucket's documents: which there are, each to read, change and take away, and what lifecycle rules would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from buckets.selectors import BucketRecord
from console.access import find_named_bucket, is_allowed, open_bucket, require
from console.audit_trail import note_problem
from console.configuration_kinds import KINDS
from console.configurations import Configuration, Shown, arguments_of, as_text, delete, read_text, show, write
from objects.operations.lifecycle import lifecycle_document
from objects.selectors.foreseen import Foreseen, foresee
from s3protocol import errors
from s3protocol.registry import REGISTRY

HORIZONS_DAYS = (0, 1, 7, 30, 90, 365)
LIFECYCLE = "lifecycle"
FORESEEING = ("s3:GetLifecycleConfiguration", "s3:ListBucket", "s3:ListBucketVersions")
PLACEHOLDERS = ("OTHER", "TARGET", "LOGS", "LISTS")
EXAMPLE_ACCOUNT = "123456789012"


@login_required
@require_safe
def overview(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """List the kinds of documents, and which the bucket has."""
    bucket = open_bucket(request, bucket_name, "s3:GetBucketVersioning")
    context = {"bucket": bucket, "rows": [show(request, bucket, kind) for kind in KINDS.values()]}
    return render(request, "console/configurations.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def configuration(request: HttpRequest, bucket_name: str, kind: str) -> HttpResponse:
    """Show a document; change it, take it away, or tell what it would do."""
    found = KINDS.get(kind)
    if found is None:
        raise Http404(f"A bucket has no {kind}.")
    bucket = find_named_bucket(bucket_name)
    document_id = request.GET.get("id", "")
    if request.method != "POST":
        shown = show(request, bucket, found, document_id)
        if shown.is_hidden:
            require(request, REGISTRY[found.reads].action, bucket=bucket)
        return _page(request, bucket, shown, document_id)
    text = request.POST.get("document", "")
    try:
        if "delete" in request.POST:
            delete(request, bucket, found, document_id)
            messages.success(request, f"{found.title}: taken away.")
        elif "foresee" in request.POST:
            return _foreseen_page(request, bucket, found, text)
        else:
            write(request, bucket, found, read_text(text))
            messages.success(request, f"{found.title}: saved. It counts from now on.")
    except (errors.S3Error, PermissionDenied) as error:
        refusal = error if isinstance(error, errors.S3Error) else errors.AccessDenied(str(error))
        note_problem(refusal.code, refusal.message)
        return _page(
            request, bucket, Shown(found), document_id, text=text, problem=refusal.message, status=refusal.status
        )
    return redirect("console:configuration", bucket_name=bucket.name, kind=kind)


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What rules would do by a day from now."""

    days: int
    effects: list[Foreseen]


def _foreseen_page(request: HttpRequest, bucket: BucketRecord, kind: Configuration, text: str) -> HttpResponse:
    """Tell what lifecycle rules would do, written down but not saved."""
    if kind.slug != LIFECYCLE:
        raise errors.InvalidRequest("Only of lifecycle rules can it be told what they would do.")
    require(request, *FORESEEING, bucket=bucket)
    arguments = arguments_of(bucket.name, kind, read_text(text))
    document = lifecycle_document(
        arguments["lifecycle_configuration"], arguments.get("transition_default_minimum_object_size")
    )
    days = request.POST.get("days", "")
    horizon = int(days) if days.isascii() and days.isdecimal() and int(days) in HORIZONS_DAYS else 0
    effects = _effects(bucket, document, horizon)
    return _page(request, bucket, Shown(kind), "", text=text, outlook=_Outlook(horizon, effects))


def _effects(bucket: BucketRecord, document: Mapping[str, Any], days: int) -> list[Foreseen]:
    day_seconds = settings.OBJSTORE_LIFECYCLE_DAY_SECONDS
    then = timezone.now() + timedelta(seconds=days * day_seconds)
    return foresee(document, bucket_id=bucket.id, now=then, day_seconds=day_seconds)


def _fitted(example: str, bucket: BucketRecord) -> str:
    """Put the names that are known into an example."""
    return example.replace("BUCKET", bucket.name).replace(EXAMPLE_ACCOUNT, bucket.owner_id)


def _page(
    request: HttpRequest,
    bucket: BucketRecord,
    shown: Shown,
    document_id: str,
    *,
    text: str | None = None,
    problem: str = "",
    outlook: _Outlook | None = None,
    status: int = 200,
) -> HttpResponse:
    kind = shown.configuration
    if text is None:
        document = shown.document or kind.example or {}
        text = as_text(document) if shown.document else _fitted(as_text(document), bucket)
    context = {
        "bucket": bucket,
        "kind": kind,
        "shown": shown,
        "document_id": document_id,
        "text": text,
        "problem": problem,
        "outlook": outlook,
        "placeholders": [] if shown.document else [name for name in PLACEHOLDERS if name in text],
        "is_saved_elsewhere": bool(problem or outlook),
        "may_write": is_allowed(request, bucket, REGISTRY[kind.writes].action),
        "may_foresee": kind.slug == LIFECYCLE and all(is_allowed(request, bucket, one) for one in FORESEEING),
        "horizons": HORIZONS_DAYS,
        "can_be_deleted": is_allowed(request, bucket, REGISTRY[kind.deletes or kind.writes].action)
        and (kind.deletes is not None or kind.clears is not None)
        and (bool(shown.document) and (not kind.lists or bool(document_id))),
    }
    return render(request, "console/configuration.html", context, status=status)
