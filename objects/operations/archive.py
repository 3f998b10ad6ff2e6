"""RestoreObject."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from buckets.context import RequestContext
from objects.models import RestoreTier
from objects.operations.read import readable_version
from objects.services import archive as services
from s3protocol import errors
from s3protocol.registry import operation

TIERS = {"Expedited": RestoreTier.EXPEDITED, "Standard": RestoreTier.STANDARD, "Bulk": RestoreTier.BULK}
NOT_SERVED = ("Type", "SelectParameters", "OutputLocation")
"""Members that mean a query over the archive, which AWS has discontinued, too."""


@operation("RestoreObject", action="s3:RestoreObject", reads_object=True)
def restore_object(
    context: RequestContext,
    *,
    bucket: str,
    key: str,
    restore_request: dict[str, Any],
    version_id: str | None = None,
) -> dict[str, Any]:
    """Make an archived object readable for some days, soon; answers 202, or 200 where it is and its days change."""
    if any(name in restore_request for name in NOT_SERVED):
        raise errors.NotImplemented
    days = restore_request.get("Days")
    if days is not None and days < 1:
        raise errors.InvalidArgument(
            "restoration days should be at least 1", ArgumentName="Days", ArgumentValue=str(days)
        )
    said = restore_request.get("GlacierJobParameters", {}).get("Tier") or restore_request.get("Tier") or "Standard"
    was_restored = services.restore_object(
        version=readable_version(context, key, version_id),
        days=days,
        tier=TIERS[said],
        now=datetime.now(UTC),
        day_seconds=settings.OBJSTORE_LIFECYCLE_DAY_SECONDS,
    )
    return {"__status__": 200 if was_restored else 202}
