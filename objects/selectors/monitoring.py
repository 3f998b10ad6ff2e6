"""What is known of versions in INTELLIGENT_TIERING: when they were read, and where they are since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from buckets.storage_classes import INTELLIGENT_TIERING
from objects.models import AccessTier, Monitoring
from objects.selectors.lookup import VersionRecord


@dataclass(frozen=True, slots=True)
class Monitored:
    """When a version was last read, to the day (None: not since it came), and its tier."""

    accessed_at: datetime | None = None
    tier: AccessTier = AccessTier.ACCESS

    @property
    def is_archived(self) -> bool:
        """Say whether it has to be restored before it is read."""
        return self.tier is not AccessTier.ACCESS


def find_monitored(version: VersionRecord) -> Monitored | None:
    """Return what is known of a version; None for one in another class. One statement for those in the class."""
    if version.storage_class != INTELLIGENT_TIERING:
        return None
    row = Monitoring.objects.filter(version_id=version.id).values_list("accessed_at", "tier").first()
    return Monitored() if row is None else Monitored(row[0], AccessTier(row[1]))
