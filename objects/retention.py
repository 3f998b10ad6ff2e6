"""Object lock: how a version is protected, and which changes of its protection are allowed. Pure.

Theory: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html. Retention protects a version until a
time: GOVERNANCE against everybody who may not bypass it, COMPLIANCE against everybody. A legal hold protects it until
it is lifted. Protection is against being deleted for good; a delete marker may always cover a version. Once its time is
over, retention binds nobody. The deleting function (`objects_is_locked` in objects/sql/publish.sql) keeps the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from s3protocol import errors

GOVERNANCE = "GOVERNANCE"
COMPLIANCE = "COMPLIANCE"
DEFAULT_DAYS_MAX = 36_500
DEFAULT_YEARS_MAX = 100


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """A version's protection: retention (no mode, no time) and legal hold (None: never set)."""

    lock_mode: str = ""
    retain_until: datetime | None = None
    legal_hold: bool | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was ever said about protection."""
        return self == NO_LOCK


NO_LOCK = ObjectLock()


def checked_lock(
    mode: str | None, retain_until: datetime | None, legal_hold: str | None, *, now: datetime
) -> ObjectLock:
    """Read the x-amz-object-lock-* headers of a new version. Raises InvalidArgument."""
    if (mode is None) != (retain_until is None):
        raise errors.InvalidArgument(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
        )
    if retain_until is not None:
        check_future(retain_until, now=now)
    return ObjectLock(mode or "", retain_until, None if legal_hold is None else legal_hold == "ON")


def check_future(retain_until: datetime, *, now: datetime) -> None:
    """Raise InvalidArgument for a time that is over."""
    if retain_until <= now:
        raise errors.InvalidArgument(
            "The retain until date must be in the future!",
            ArgumentName="x-amz-object-lock-retain-until-date",
            ArgumentValue=retain_until.isoformat(),
        )


def checked_retention(retention: Mapping[str, Any], *, now: datetime) -> tuple[str, datetime | None]:
    """Read a Retention document; an empty one takes retention away. Raises MalformedXML, InvalidArgument."""
    mode, retain_until = retention.get("Mode"), retention.get("RetainUntilDate")
    if (mode is None) != (retain_until is None):
        raise errors.MalformedXML
    if retain_until is not None:
        check_future(retain_until, now=now)
    return mode or "", retain_until


def check_change(
    held: ObjectLock, mode: str, retain_until: datetime | None, *, now: datetime, is_bypassing: bool
) -> None:
    """Raise AccessDenied where retention that still binds would be weakened.

    Lengthening is free. Everything else needs a bypass in GOVERNANCE mode and is impossible in COMPLIANCE mode.
    """
    if held.retain_until is None or held.retain_until <= now:
        return
    is_lengthened = mode == held.lock_mode and retain_until is not None and retain_until >= held.retain_until
    if is_lengthened or (held.lock_mode == GOVERNANCE and is_bypassing):
        return
    raise errors.AccessDenied("Access Denied because object protected by object lock.")


def checked_default_retention(configuration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the rule of an ObjectLockConfiguration. Raises MalformedXML, InvalidRetentionPeriod.

    AWS was also seen to answer InvalidArgument for a period that is not positive; the code here is the one that clients
    and other stores test for.
    """
    if configuration.get("ObjectLockEnabled") != "Enabled":
        raise errors.MalformedXML
    if "Rule" not in configuration:
        return None
    retention = configuration["Rule"].get("DefaultRetention") or {}
    if "Mode" not in retention or ("Days" in retention) == ("Years" in retention):
        raise errors.MalformedXML
    period, period_max = (
        (retention["Days"], DEFAULT_DAYS_MAX) if "Days" in retention else (retention["Years"], DEFAULT_YEARS_MAX)
    )
    if period <= 0:
        raise errors.InvalidRetentionPeriod
    if period > period_max:
        raise errors.InvalidRetentionPeriod("Default retention period is too large: at most 100 years.")
    return dict(retention)
