"""The annotations of a version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Sum

from objects.listing import successor
from objects.models import Annotation


@dataclass(frozen=True, slots=True)
class AnnotationRecord:
    """What is told of an annotation. Sizes in bytes."""

    name: str
    size_bytes: int
    etag: str
    checksum_algorithm: str
    checksum: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class AnnotationContent:
    """An annotation with its payload, as it is stored."""

    record: AnnotationRecord
    is_sealed: bool
    payload: bytes


_FIELDS = ("name", "size_bytes", "etag", "checksum_algorithm", "checksum", "modified_at")


def has_annotations(version_row: int) -> bool:
    """Say whether a version has any. One statement."""
    return Annotation.objects.filter(version_id=version_row).exists()


def size_of_annotations(version_row: int) -> int:
    """Return how many bytes the annotations of a version have. One statement."""
    size_bytes = Annotation.objects.filter(version_id=version_row).aggregate(total=Sum("size_bytes"))["total"]
    return int(size_bytes or 0)


def find_annotation(version_row: int, name: str) -> AnnotationContent | None:
    """Return an annotation of a version, or None. One statement."""
    row = (
        Annotation.objects.filter(version_id=version_row, name=name)
        .values_list(*_FIELDS, "is_sealed", "payload")
        .first()
    )
    if row is None:
        return None
    *told, is_sealed, payload = row
    return AnnotationContent(AnnotationRecord(*told), is_sealed, bytes(payload))


def list_annotations(
    version_row: int, *, prefix: str = "", after: str = "", limit: int
) -> tuple[list[AnnotationRecord], bool]:
    """Return up to `limit` annotations whose names follow `after`, and whether there are more. One statement."""
    rows = Annotation.objects.filter(version_id=version_row, name__gt=after, name__gte=prefix)
    end = successor(prefix)
    if prefix and end is not None:
        rows = rows.filter(name__lt=end)
    found = [AnnotationRecord(*row) for row in rows.order_by("name").values_list(*_FIELDS)[: limit + 1]]
    return found[:limit], len(found) > limit
