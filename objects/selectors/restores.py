"""Whether archived versions are restored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from objects.models import Restore


@dataclass(frozen=True, slots=True)
class RestoreRecord:
    """A restore that was asked for; it is under way until `restored_at`, and the version readable then."""

    restored_at: datetime | None
    expires_at: datetime | None


def find_restore(version_row: int) -> RestoreRecord | None:
    """Return what is known of a version's restore. One statement."""
    return find_restores([version_row]).get(version_row)


def find_restores(version_rows: Iterable[int]) -> dict[int, RestoreRecord]:
    """Return the restores of versions, by row. One statement, none for no versions."""
    rows = list(version_rows)
    if not rows:
        return {}
    found = Restore.objects.filter(version_id__in=rows).values_list("version_id", "restored_at", "expires_at")
    return {row: RestoreRecord(restored_at, expires_at) for row, restored_at, expires_at in found}
