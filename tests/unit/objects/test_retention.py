"""Object lock: headers, documents, and which changes of protection are allowed."""

from datetime import UTC, datetime, timedelta

import pytest

from objects.retention import (
    COMPLIANCE,
    GOVERNANCE,
    NO_LOCK,
    ObjectLock,
    check_change,
    checked_default_retention,
    checked_lock,
    checked_retention,
)
from s3protocol import errors

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def change(held, mode, until, *, is_bypassing=False):
    check_change(ObjectLock(*held), mode, until, now=NOW, is_bypassing=is_bypassing)


def test_headers_become_a_lock():
    assert checked_lock(None, None, None, now=NOW) == NO_LOCK
    assert checked_lock(GOVERNANCE, NOW + DAY, "ON", now=NOW) == ObjectLock(GOVERNANCE, NOW + DAY, True)
    assert checked_lock(None, None, "OFF", now=NOW) == ObjectLock("", None, False)


@pytest.mark.parametrize(
    ("mode", "until"), [(GOVERNANCE, None), (None, NOW + DAY), (COMPLIANCE, NOW), (GOVERNANCE, NOW - DAY)]
)
def test_half_a_retention_and_a_past_one_are_refused(mode, until):
    with pytest.raises(errors.InvalidArgument):
        checked_lock(mode, until, None, now=NOW)


def test_an_empty_document_takes_retention_away():
    assert checked_retention({}, now=NOW) == ("", None)
    with pytest.raises(errors.MalformedXML):
        checked_retention({"Mode": GOVERNANCE}, now=NOW)


@pytest.mark.parametrize(
    ("held", "mode", "until"),
    [
        (("", None), COMPLIANCE, NOW + DAY),
        ((GOVERNANCE, NOW + DAY), GOVERNANCE, NOW + DAY),
        ((GOVERNANCE, NOW + DAY), GOVERNANCE, NOW + 2 * DAY),
        ((COMPLIANCE, NOW + DAY), COMPLIANCE, NOW + 2 * DAY),
        ((COMPLIANCE, NOW - DAY), "", None),
        ((COMPLIANCE, NOW), GOVERNANCE, NOW + DAY),
    ],
)
def test_protection_may_grow_and_what_is_over_may_change(held, mode, until):
    change(held, mode, until)


@pytest.mark.parametrize(
    ("held", "mode", "until"),
    [
        ((GOVERNANCE, NOW + 2 * DAY), GOVERNANCE, NOW + DAY),
        ((GOVERNANCE, NOW + DAY), COMPLIANCE, NOW + DAY),
        ((GOVERNANCE, NOW + DAY), "", None),
    ],
)
def test_governance_is_weakened_by_a_bypass_alone(held, mode, until):
    with pytest.raises(errors.AccessDenied):
        change(held, mode, until)
    change(held, mode, until, is_bypassing=True)


@pytest.mark.parametrize(("mode", "until"), [(COMPLIANCE, NOW + DAY), (GOVERNANCE, NOW + 3 * DAY), ("", None)])
def test_nobody_weakens_compliance(mode, until):
    with pytest.raises(errors.AccessDenied):
        change((COMPLIANCE, NOW + 2 * DAY), mode, until, is_bypassing=True)


def rule(**retention):
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}


def test_a_default_retention_is_days_or_years():
    assert checked_default_retention({"ObjectLockEnabled": "Enabled"}) is None
    assert checked_default_retention(rule(Mode=GOVERNANCE, Days=1)) == {"Mode": GOVERNANCE, "Days": 1}
    for retention in ({"Mode": GOVERNANCE}, {"Days": 1}, {"Mode": GOVERNANCE, "Days": 1, "Years": 1}):
        with pytest.raises(errors.MalformedXML):
            checked_default_retention(rule(**retention))
    with pytest.raises(errors.MalformedXML):
        checked_default_retention({})


@pytest.mark.parametrize("period", [{"Days": 0}, {"Years": -1}, {"Days": 36_501}, {"Years": 101}])
def test_a_period_is_positive_and_bounded(period):
    with pytest.raises(errors.InvalidRetentionPeriod):
        checked_default_retention(rule(Mode=COMPLIANCE, **period))
