"""The buckets of the signed-in user's account: list, create, configure, delete."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from buckets.models import Versioning
from buckets.selectors import BucketRecord, list_buckets
from buckets.services import create_bucket as create_bucket_row
from buckets.services import put_bucket_versioning
from console.access import decide_for, open_bucket, principal_of, require
from console.forms import CreateBucketForm, HistoryForm, bucket_name_problem
from console.services.buckets import put_bucket_history
from console.services.presigned_links import s3_endpoint
from console.sizes import human_duration
from console.views.bucket_tags import tags_context
from limits.selectors import find_bucket_limits
from objects.selectors.usage import find_usage
from objects.services.bucket import delete_bucket as delete_empty_bucket
from s3protocol import errors

PAGE_SIZE = 100


@login_required
@require_safe
def buckets(request: HttpRequest, form: CreateBucketForm | None = None) -> HttpResponse:
    """List the account's buckets with what they hold. Who may not list them may still name one to open."""
    principal = principal_of(request)
    wanted, problem = request.GET.get("open", "").strip(), None
    if wanted:
        problem = bucket_name_problem(wanted)
        if problem is None:
            return redirect("console:browse", bucket_name=wanted)
    decision = decide_for(request, "s3:ListAllMyBuckets")
    if not decision.is_allowed or principal.account_id is None:
        refusal = {"reason": decision.reason, "wanted": wanted, "problem": problem}
        return render(request, "console/no_access.html", refusal, status=403)
    begins, after = request.GET.get("begins", ""), request.GET.get("after", "")
    found = []
    if "\0" not in begins + after:
        found = list_buckets(owner_id=principal.account_id, prefix=begins, after=after, region="", limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    usage = find_usage([bucket.id for bucket in shown])
    context = {
        "rows": [(bucket, usage[bucket.id]) for bucket in shown],
        "next_after": shown[-1].name if len(found) > PAGE_SIZE else None,
        "after": after,
        "begins": begins,
        "form": form or CreateBucketForm(),
        "account": principal.display_name,
        "endpoint": s3_endpoint(request.get_host().rpartition(":")[0] or request.get_host()),
    }
    return render(request, "console/buckets.html", context)


@login_required
def create_bucket(request: HttpRequest) -> HttpResponse:
    """Show the form of a new bucket; make it."""
    principal = principal_of(request)
    require(request, "s3:CreateBucket")
    form = CreateBucketForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        assert principal.account_id is not None
        name = form.cleaned_data["name"]
        try:
            bucket = create_bucket_row(name=name, owner_id=principal.account_id, region=settings.OBJSTORE_REGION)
        except errors.BucketAlreadyOwnedByYou:
            form.add_error("name", "You have a bucket of this name already.")
        except errors.BucketAlreadyExists:
            form.add_error("name", "Another account has a bucket of this name; names are unique in the whole store.")
        else:
            if form.cleaned_data["is_versioned"]:
                put_bucket_versioning(bucket_id=bucket.pk, status=Versioning.ENABLED)
            messages.success(request, f"The bucket {name} is there.")
            return redirect("console:browse", bucket_name=name)
    return render(request, "console/create_bucket.html", {"form": form}, status=400 if form.errors else 200)


@login_required
@require_safe
def bucket_settings(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Show what a bucket keeps and for how long."""
    bucket = open_bucket(request, bucket_name, "s3:GetBucketVersioning")
    return _show_settings(request, bucket, HistoryForm.showing(bucket.history_seconds))


def _show_settings(request: HttpRequest, bucket: BucketRecord, form: HistoryForm, status: int = 200) -> HttpResponse:
    context = {
        "bucket": bucket,
        "usage": find_usage([bucket.id])[bucket.id],
        "history_form": form,
        "limits": find_bucket_limits(bucket_id=bucket.id, owner_id=bucket.owner_id),
        **tags_context(request, bucket),
    }
    return render(request, "console/bucket_settings.html", context, status=status)


@login_required
@require_POST
def set_versioning(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Enable or suspend versioning."""
    bucket = open_bucket(request, bucket_name, "s3:PutBucketVersioning")
    is_on = request.POST.get("versioning") == Versioning.ENABLED.value
    try:
        put_bucket_versioning(bucket_id=bucket.id, status=Versioning.ENABLED if is_on else Versioning.SUSPENDED)
    except errors.S3Error as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Versioning is {'on' if is_on else 'suspended'}.")
    return redirect("console:bucket-settings", bucket_name=bucket.name)


@login_required
@require_POST
def set_history(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Set the history window."""
    bucket = open_bucket(request, bucket_name, "objstore:PutBucketHistory")
    form = HistoryForm(request.POST)
    if not form.is_valid():
        return _show_settings(request, bucket, form, status=400)
    seconds = form.cleaned_data["history_seconds"]
    put_bucket_history(bucket_id=bucket.id, history_seconds=seconds)
    messages.success(
        request,
        f"What is overwritten or deleted can be brought back for {human_duration(seconds)}."
        if seconds
        else "The bucket keeps no history: what is overwritten or deleted is gone.",
    )
    return redirect("console:bucket-settings", bucket_name=bucket.name)


@login_required
@require_POST
def delete_bucket(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Delete an empty bucket."""
    bucket = open_bucket(request, bucket_name, "s3:DeleteBucket")
    try:
        delete_empty_bucket(bucket_id=bucket.id)
    except errors.BucketNotEmpty:
        messages.error(
            request,
            "The bucket is not empty, so it stays. Delete its objects first"
            + (", all their versions and delete markers, too." if bucket.was_ever_versioned else "."),
        )
        return redirect("console:bucket-settings", bucket_name=bucket.name)
    messages.success(request, f"The bucket {bucket.name} is deleted.")
    return redirect("console:buckets")
