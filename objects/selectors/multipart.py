"""Reads of multipart uploads in progress and of their parts."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from objects.listing import successor
from objects.models import MultipartUpload, Part

PAGE_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class UploadPage:
    """A page of uploads and common prefixes. `is_truncated` says that more follow the last of them."""

    uploads: tuple[MultipartUpload, ...]
    common_prefixes: tuple[str, ...]
    is_truncated: bool


def find_upload(*, bucket_id: int, key: str, upload_id: str) -> MultipartUpload | None:
    """Return an upload, in progress or remembered as completed, by what the client knows of it. One statement."""
    return MultipartUpload.objects.filter(upload_id=upload_id, bucket_id=bucket_id, key=key).first()


def has_chosen_checksum(upload_row: int) -> bool:
    """Say whether a part came with a checksum of the client's choice; what nobody chose is CRC64NVME. One statement."""
    return Part.objects.filter(upload_id=upload_row).exclude(checksum_algorithm__in=("", "CRC64NVME")).exists()


def list_parts(*, upload_row: int, after: int, limit: int) -> tuple[list[Part], bool]:
    """Return up to `limit` parts with higher numbers than `after`, and whether there are more. One statement."""
    parts = list(Part.objects.filter(upload_id=upload_row, part_number__gt=after).order_by("part_number")[: limit + 1])
    return parts[:limit], len(parts) > limit


def list_uploads(
    *, bucket_id: int, prefix: str, delimiter: str, key_marker: str, upload_id_marker: str, limit: int
) -> UploadPage:
    """Return the uploads in progress behind the markers, by key and then by age.

    Cost: one statement for each PAGE_ROWS uploads or common prefixes that are passed.
    """
    uploads: list[MultipartUpload] = []
    prefixes: list[str] = []
    query = MultipartUpload.objects.filter(bucket_id=bucket_id, completed_at=None).order_by("key", "id")
    end = successor(prefix)
    if prefix:
        query = query.filter(key__gte=prefix)
        if end is not None:
            query = query.filter(key__lt=end)
    behind = _behind_markers(bucket_id, prefix, delimiter, key_marker, upload_id_marker)
    while True:
        rows = list(query.filter(behind)[: min(limit - len(uploads) - len(prefixes) + 1, PAGE_ROWS)])
        if not rows:
            return UploadPage(tuple(uploads), tuple(prefixes), is_truncated=False)
        for row in rows:
            if len(uploads) + len(prefixes) >= limit:
                return UploadPage(tuple(uploads), tuple(prefixes), is_truncated=True)
            at = row.key.find(delimiter, len(prefix)) if delimiter else -1
            if at >= 0:
                prefixes.append(row.key[: at + len(delimiter)])
                behind = Q(key__gte=successor(prefixes[-1]) or row.key)
                break
            uploads.append(row)
            behind = Q(key__gt=row.key) | Q(key=row.key, id__gt=row.pk)


def _behind_markers(bucket_id: int, prefix: str, delimiter: str, key_marker: str, upload_id_marker: str) -> Q:
    """Say which uploads follow the markers; the second one counts only together with the first."""
    if not key_marker:
        return Q()
    at = key_marker.find(delimiter, len(prefix)) if delimiter and key_marker.startswith(prefix) else -1
    if at >= 0 and at + len(delimiter) == len(key_marker):
        return Q(key__gte=successor(key_marker) or key_marker)
    if not upload_id_marker:
        return Q(key__gt=key_marker)
    marker = MultipartUpload.objects.filter(bucket_id=bucket_id, upload_id=upload_id_marker).first()
    if marker is None:  # aborted meanwhile, as where a client aborts page by page: what is left of the key is behind it
        return Q(key__gte=key_marker)
    return Q(key__gt=key_marker) | Q(key=key_marker, id__gt=marker.pk)
