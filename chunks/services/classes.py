"""Say how storage classes keep their bytes, and what nodes are fit for. Chunks that are there stay as they are."""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from chunks import topology as topologies
from chunks.errors import BadStorageClass, NodeUnavailable
from chunks.models import Node, StorageClass, Zone
from chunks.services.registration import change_node


@transaction.atomic
def add_storage_class(*, name: str, **columns: Any) -> StorageClass:
    """Make a storage class, which clients may ask for within seconds. BadStorageClass says what is wrong."""
    if StorageClass.objects.filter(name=name).exists():
        raise BadStorageClass(f"there is a storage class {name!r} already")
    return _save(StorageClass(name=name), columns)


@transaction.atomic
def set_storage_class(*, name: str, **columns: Any) -> StorageClass:
    """Change how a class keeps what is written from now on. BadStorageClass for one that is not there, too."""
    row = StorageClass.objects.select_for_update().filter(name=name).first()
    if row is None:
        raise BadStorageClass(f"there is no storage class {name!r}")
    return _save(row, columns)


def _save(row: StorageClass, columns: dict[str, Any]) -> StorageClass:
    for column, value in columns.items():
        setattr(row, column, value)
    try:
        row.full_clean()
    except ValidationError as error:
        raise BadStorageClass("; ".join(error.messages)) from error
    row.save()
    transaction.on_commit(topologies.refresh)
    return row


def set_node_labels(*, name: str, labels: Collection[str]) -> Node:
    """Say what a node is fit for; NodeUnavailable if there is none of this name.

    What classes have put on it stays there; a rebalancing moves it.
    """
    return change_node(name=name, labels=labels)


def set_zone_region(*, name: str, region: str) -> Zone:
    """Say which region a zone lies in; NodeUnavailable if there is none of this name."""
    if not Zone.objects.filter(name=name).update(region=region):
        raise NodeUnavailable(f"there is no zone {name!r}")
    return Zone.objects.get(name=name)
