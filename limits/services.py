"""Writes of limits."""

from __future__ import annotations

from typing import Any

from accesscontrol.models import AccessKey, Account
from buckets.models import Bucket
from limits.models import Limit

Subject = Account | Bucket | AccessKey


def set_limit(
    subject: Subject,
    *,
    objects_max: int | None = None,
    bytes_max: int | None = None,
    requests_per_second: int | None = None,
    bytes_per_second: int | None = None,
) -> Limit:
    """Replace the limits of a subject; what is not given has none. Processes notice within limits.rates.REFRESH_SECONDS."""
    limit, _ = Limit.objects.update_or_create(
        **_where(subject),
        defaults={
            "objects_max": objects_max,
            "bytes_max": bytes_max,
            "requests_per_second": requests_per_second,
            "bytes_per_second": bytes_per_second,
        },
    )
    return limit


def remove_limit(subject: Subject) -> bool:
    """Take all limits off a subject; say whether there were any."""
    return bool(Limit.objects.filter(**_where(subject)).delete()[0])


def _where(subject: Subject) -> dict[str, Any]:
    if isinstance(subject, Account):
        return {"account": subject}
    return {"bucket": subject} if isinstance(subject, Bucket) else {"access_key": subject}
