"""Inventory configurations: what is refused, and what a report is asked for. Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketInventoryConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from buckets.identified import bucket_of_arn, check_destination, check_id
from s3protocol import errors

KIND = "inventory"

# Holds by an event are not set here, and what nobody can be told is not promised.
UNKNOWN_FIELDS = frozenset(
    {"ObjectLockEventHoldStatus", "ObjectLockEventHoldDuration", "IntelligentTieringReferenceDate"}
)


@dataclass(frozen=True, slots=True)
class Inventory:
    """A report that is asked for."""

    id: str
    prefix: str
    has_all_versions: bool
    is_weekly: bool
    fields: tuple[str, ...]
    destination: str
    destination_prefix: str
    destination_owner_id: str | None
    encryption: Mapping[str, Any] | None


def checked_document(configuration_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored. Raises InvalidConfigurationId, InvalidArgument, NotImplemented, MalformedXML."""
    check_id(configuration_id, document)
    destination = document["Destination"]["S3BucketDestination"]
    if destination["Format"] != "CSV":
        raise errors.NotImplemented("Inventories are written as CSV alone.")
    check_destination(destination)
    if len(destination.get("Encryption", {})) > 1:
        raise errors.MalformedXML
    unknown = UNKNOWN_FIELDS.intersection(document.get("OptionalFields", []))
    if unknown:
        raise errors.NotImplemented(f"Nothing is known of {', '.join(sorted(unknown))}.")
    return dict(document)


def read_inventory(document: Mapping[str, Any]) -> Inventory | None:
    """Read a stored document; None for one that is not enabled."""
    if not document["IsEnabled"]:
        return None
    destination = document["Destination"]["S3BucketDestination"]
    return Inventory(
        id=document["Id"],
        prefix=document.get("Filter", {}).get("Prefix", ""),
        has_all_versions=document["IncludedObjectVersions"] == "All",
        is_weekly=document["Schedule"]["Frequency"] == "Weekly",
        fields=tuple(dict.fromkeys(document.get("OptionalFields", []))),
        destination=bucket_of_arn(destination["Bucket"]),
        destination_prefix=destination.get("Prefix", ""),
        destination_owner_id=destination.get("AccountId"),
        encryption=destination.get("Encryption"),
    )
