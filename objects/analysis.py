"""Storage class analyses: age groups, and the export's rows. Pure.

Format: https://docs.aws.amazon.com/AmazonS3/latest/userguide/analytics-storage-class.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from buckets.identified import ObjectFilter

AGE_GROUPS = (
    (0, "000-014"),
    (15, "015-029"),
    (30, "030-044"),
    (45, "045-059"),
    (60, "060-074"),
    (75, "075-089"),
    (90, "090-119"),
    (120, "120-149"),
    (150, "150-179"),
    (180, "180-364"),
    (365, "365-729"),
    (730, "730+"),
)
"""The days at which each group of ages begins, and its name."""

OBSERVED_DAYS_MIN = 30
"""How long objects must have been watched before an age is recommended."""

COLUMNS = (
    "Date",
    "ConfigId",
    "Filter",
    "StorageClass",
    "ObjectAge",
    "ObjectCount",
    "DataUploaded_MB",
    "Storage_MB",
    "DataRetrieved_MB",
    "GetRequestCount",
    "CumulativeAccessRatio",
    "ObjectAgeForSIATransition",
    "RecommendedObjectAgeForSIATransition",
)
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class AnalysisFigures:
    """What a day says of the objects of a class and a group of ages."""

    day: date
    storage_class: str
    age_group: str
    object_count: int
    size_bytes: int
    uploaded_bytes: int
    retrieved_bytes: int
    get_requests: int


def recommended_age(rows: Iterable[AnalysisFigures]) -> str:
    """Return the age from which STANDARD objects are read less than they are large; empty where nothing can be said.

    Reading what is infrequently accessed costs about as much as keeping it there saves, once it is read as a whole.
    """
    observed = [row for row in rows if row.storage_class == "STANDARD"]
    days = len({row.day for row in observed})
    if days < OBSERVED_DAYS_MIN:
        return ""
    for start, name in AGE_GROUPS:
        older = [row for row in observed if row.age_group >= name]
        size_bytes = sum(row.size_bytes for row in older) / days
        if start >= OBSERVED_DAYS_MIN and size_bytes and sum(row.retrieved_bytes for row in older) < size_bytes:
            return name
    return ""


def render_export(configuration_id: str, wanted: ObjectFilter, rows: Sequence[AnalysisFigures]) -> bytes:
    """Render the export: a row for each day, class and group of ages."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    tags = "&".join(f"{key}={value}" for key, value in wanted.tags)
    shown_filter = ",".join(filter(None, (wanted.prefix, tags)))
    recommended = recommended_age(rows)
    totals: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        total = totals.setdefault((row.storage_class, row.age_group), [0, 0])
        total[0] += row.retrieved_bytes
        total[1] = row.size_bytes
        ratio = f"{total[0] / total[1]:.4f}" if total[1] else ""
        writer.writerow(
            (
                row.day.isoformat(),
                configuration_id,
                shown_filter,
                row.storage_class,
                row.age_group,
                row.object_count,
                f"{row.uploaded_bytes / _MEGABYTE:.6f}",
                f"{row.size_bytes / _MEGABYTE:.6f}",
                f"{row.retrieved_bytes / _MEGABYTE:.6f}",
                row.get_requests,
                ratio,
                recommended if row.age_group == recommended else "",
                recommended,
            )
        )
    return text.getvalue().encode()
