"""The storage classes that objects may be in: those that the topology has rows for."""

from __future__ import annotations

from dataclasses import replace

from buckets.storage_classes import STANDARD
from chunks import topology
from s3protocol import errors


def known_storage_classes() -> frozenset[str]:
    """Name all classes, as this process saw them a few seconds ago."""
    return frozenset(entry.name for entry in topology.current().storage_classes)


def checked_storage_class(storage_class: str | None) -> str:
    """Return the class to store in. Raises InvalidStorageClass for one that is not configured."""
    if storage_class is None or storage_class == STANDARD:
        return STANDARD
    if storage_class not in known_storage_classes():
        raise errors.InvalidStorageClass(StorageClassRequested=storage_class)
    return storage_class


def are_laid_out_alike(one: str, other: str) -> bool:
    """Say whether two classes keep bytes in the same way, so that nothing has to be written anew to change the class."""
    if one == other:
        return True
    classes = {entry.name: replace(entry, name="") for entry in topology.current().storage_classes}
    return one in classes and classes.get(one) == classes.get(other)
