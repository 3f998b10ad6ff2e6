"""Analytics and metrics configurations: what is refused, and what they ask for. Pure.

Source: the pages of PutBucketAnalyticsConfiguration and PutBucketMetricsConfiguration in
https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from buckets.identified import (
    ObjectFilter,
    bucket_of_arn,
    check_destination,
    check_filter,
    check_id,
    read_filter,
)

ANALYTICS = "analytics"
METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Analysis:
    """A storage class analysis that is asked for; without a destination nothing is exported."""

    id: str
    filter: ObjectFilter
    destination: str | None
    destination_prefix: str
    destination_owner_id: str | None


def checked_analytics(configuration_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored. Raises InvalidConfigurationId, InvalidArgument, MalformedXML."""
    check_id(configuration_id, document)
    check_filter(document)
    exported = document["StorageClassAnalysis"].get("DataExport")
    if exported is not None:
        check_destination(exported["Destination"]["S3BucketDestination"])
    return dict(document)


def read_analysis(document: Mapping[str, Any]) -> Analysis:
    """Read a stored document."""
    exported = document["StorageClassAnalysis"].get("DataExport")
    destination = {} if exported is None else exported["Destination"]["S3BucketDestination"]
    return Analysis(
        id=document["Id"],
        filter=read_filter(document),
        destination=bucket_of_arn(destination["Bucket"]) if destination else None,
        destination_prefix=destination.get("Prefix", ""),
        destination_owner_id=destination.get("BucketAccountId"),
    )


def checked_metrics(configuration_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored. Raises InvalidConfigurationId, InvalidArgument, MalformedXML, NotImplemented."""
    check_id(configuration_id, document)
    check_filter(document)
    return dict(document)
