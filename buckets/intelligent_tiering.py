"""Intelligent-tiering configurations: what is refused, and which objects are to be archived when nobody reads them. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketIntelligentTieringConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from buckets.identified import ObjectFilter, check_filter, check_id, read_filter
from s3protocol import errors

KIND = "intelligent-tiering"

ARCHIVE_ACCESS = "ARCHIVE_ACCESS"
DEEP_ARCHIVE_ACCESS = "DEEP_ARCHIVE_ACCESS"
WARM_TO_COLD = (ARCHIVE_ACCESS, DEEP_ARCHIVE_ACCESS)

SIZE_BYTES_MIN = 128 * 1024
"""Smaller objects are never archived, as on AWS."""

_DAYS_MIN = {ARCHIVE_ACCESS: 90, DEEP_ARCHIVE_ACCESS: 180}
_DAYS_MAX = 730


@dataclass(frozen=True, slots=True)
class Tiering:
    """Which objects go to which tier after how many days without a read; the coldest tier first."""

    filter: ObjectFilter
    days_by_tier: tuple[tuple[str, int], ...]


def checked_tiering(configuration_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored. Raises InvalidConfigurationId, InvalidArgument, MalformedXML, NotImplemented."""
    check_id(configuration_id, document)
    check_filter(document)
    days = {one["AccessTier"]: one["Days"] for one in document["Tierings"]}
    if not days or len(days) < len(document["Tierings"]):
        raise errors.MalformedXML
    for tier, count in days.items():
        if not _DAYS_MIN[tier] <= count <= _DAYS_MAX:
            raise errors.InvalidArgument(
                f"The days of {tier} must be between {_DAYS_MIN[tier]} and {_DAYS_MAX}",
                ArgumentName="Days",
                ArgumentValue=str(count),
            )
    if len(days) == 2 and days[DEEP_ARCHIVE_ACCESS] <= days[ARCHIVE_ACCESS]:
        raise errors.InvalidArgument(
            "The days of DEEP_ARCHIVE_ACCESS must be more than those of ARCHIVE_ACCESS",
            ArgumentName="Days",
            ArgumentValue=str(days[DEEP_ARCHIVE_ACCESS]),
        )
    return dict(document)


def read_tiering(document: Mapping[str, Any]) -> Tiering | None:
    """Read a stored document; None where it is disabled."""
    if document["Status"] != "Enabled":
        return None
    days = {one["AccessTier"]: one["Days"] for one in document["Tierings"]}
    return Tiering(read_filter(document), tuple((tier, days[tier]) for tier in reversed(WARM_TO_COLD) if tier in days))
