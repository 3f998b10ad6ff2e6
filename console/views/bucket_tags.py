"""A bucket's tags in its settings, and whether policies may ask for them."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accesscontrol.request_facts import resource_tag_values
from buckets.selectors import BucketRecord
from buckets.services import change_bucket_tags, put_bucket_abac
from buckets.tags import BUCKET_TAG_COUNT_MAX, tags_from_document
from console.access import find_named_bucket, is_allowed, open_bucket, require
from s3protocol import errors


def tags_context(request: HttpRequest, bucket: BucketRecord) -> dict[str, Any]:
    """Return what the settings show of tags: None for what the user may not see."""
    is_shown = is_allowed(request, bucket, "s3:ListTagsForResource")
    return {
        "tags": sorted(json.loads(bucket.tags or "{}").items()) if is_shown else None,
        "is_abac_enabled": bucket.is_abac_enabled if is_allowed(request, bucket, "s3:GetBucketAbac") else None,
    }


@login_required
@require_POST
def set_abac(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Let policies ask for the bucket's tags, or not any more."""
    bucket = open_bucket(request, bucket_name, "s3:PutBucketAbac")
    is_on = request.POST.get("abac") == "Enabled"
    put_bucket_abac(bucket_id=bucket.id, is_enabled=is_on)
    messages.success(
        request, "Policies may ask for the tags." if is_on else "The tags are labels; no policy sees them."
    )
    return redirect("console:bucket-settings", bucket_name=bucket.name)


@login_required
@require_POST
def add_tag(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Add a tag, in place of one with the same key."""
    bucket = find_named_bucket(bucket_name)
    key, value = request.POST.get("key", ""), request.POST.get("value", "")
    require(request, "s3:TagResource", bucket=bucket, stated=resource_tag_values({key: value}))
    try:
        added = tags_from_document({"TagSet": [{"Key": key, "Value": value}]}, count_max=BUCKET_TAG_COUNT_MAX)
        change_bucket_tags(bucket_id=bucket.id, added=added)
    except errors.S3Error as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"The bucket has the tag {key}.")
    return redirect("console:bucket-settings", bucket_name=bucket.name)


@login_required
@require_POST
def remove_tag(request: HttpRequest, bucket_name: str) -> HttpResponse:
    """Remove a tag."""
    bucket = find_named_bucket(bucket_name)
    key = request.POST.get("key", "")
    require(request, "s3:UntagResource", bucket=bucket, stated=resource_tag_values({key: ""}))
    change_bucket_tags(bucket_id=bucket.id, removed=[key])
    messages.success(request, f"The bucket has no tag {key} any more.")
    return redirect("console:bucket-settings", bucket_name=bucket.name)
