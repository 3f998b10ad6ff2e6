"""Whether a version can be read now. Shows; the download decides for itself (`objects.services.archive`)."""

from __future__ import annotations

from buckets.storage_classes import is_archive
from objects.selectors.lookup import VersionRecord
from objects.selectors.monitoring import find_monitored
from objects.selectors.restores import find_restore


def is_out_of_reach(version: VersionRecord) -> bool:
    """Tell whether a version lies in an archive and is not restored. Cost: a statement for the classes that archive."""
    monitored = find_monitored(version)
    if monitored is not None and monitored.is_archived:
        return True
    if not is_archive(version.storage_class):
        return False
    restore = find_restore(version.id)
    return restore is None or restore.restored_at is None
