"""Writes of buckets' tags, and whether policies may ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from buckets.models import Bucket
from buckets.services.buckets import delete_configuration, put_configuration
from buckets.tags import BUCKET_TAG_COUNT_MAX, TAGGING, require_count
from s3protocol import errors


def put_bucket_abac(*, bucket_id: int, is_enabled: bool) -> None:
    """Say whether policies may ask for a bucket's tags."""
    Bucket.objects.filter(pk=bucket_id).update(is_abac_enabled=is_enabled)


@transaction.atomic
def put_bucket_tagging(*, bucket_id: int, tags: Mapping[str, str] | None) -> None:
    """Replace a bucket's tags, or (None) remove them. Raises BadRequest where policies may ask for them."""
    # Locked against the rival who lets policies ask for them meanwhile.
    if Bucket.objects.select_for_update(no_key=True).get(pk=bucket_id).is_abac_enabled:
        raise errors.BadRequest(
            "This S3 general purpose bucket has attribute-based access control (ABAC) enabled. "
            + ("" if tags is None else "To add tags to this bucket, initiate a TagResource request. ")
            + "To delete tags from this bucket, initiate an UntagResource request."
        )
    _store_tags(bucket_id, tags)


@transaction.atomic
def change_bucket_tags(*, bucket_id: int, added: Mapping[str, str] | None = None, removed: Iterable[str] = ()) -> None:
    """Add tags to a bucket's, in place of those with the same keys, or remove some. Raises BadRequest for too many."""
    bucket = Bucket.objects.select_for_update(no_key=True).get(pk=bucket_id)  # against others who change some of them
    tags = {**(bucket.tags or {}), **(added or {})}
    for key in removed:
        tags.pop(key, None)
    require_count(tags, BUCKET_TAG_COUNT_MAX)
    _store_tags(bucket_id, tags or None)


def _store_tags(bucket_id: int, tags: Mapping[str, str] | None) -> None:
    """Store tags for who reads them, and for who decides by them."""
    if tags is None:
        delete_configuration(bucket_id=bucket_id, kind=TAGGING)
    else:
        put_configuration(bucket_id=bucket_id, kind=TAGGING, document=tags)
    Bucket.objects.filter(pk=bucket_id).update(tags=tags)
