"""The transitions of a lifecycle rule: what they say, and whether S3 would take them. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html

Not for: carrying them out (`objects.services.lifecycle_transitions`), nor the rest of a rule (`buckets.lifecycle`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from buckets.storage_classes import INFREQUENT_CLASSES, INFREQUENT_DAYS_MIN, coldness, is_colder
from s3protocol import errors
from s3protocol.timestamps import parse_iso8601

NEWER_NONCURRENT_MAX = 100


@dataclass(frozen=True, slots=True)
class Transition:
    """One move: to which class, and at which age in days or from which midnight on.

    Of noncurrent versions the age begins when they stopped being current, and so many newer ones stay.
    """

    storage_class: str
    days: int | None = None
    at: datetime | None = None
    newer_noncurrent_versions: int = 0


def read_transitions(stored: Mapping[str, Any]) -> tuple[Transition, ...]:
    """Return the moves of current versions of a stored rule, the coldest class first."""
    return _coldest_first(
        Transition(
            storage_class=one["StorageClass"],
            days=one.get("Days", None if "Date" in one else 0),
            at=parse_iso8601(one["Date"]) if "Date" in one else None,
        )
        for one in stored.get("Transitions", [])
    )


def read_noncurrent_transitions(stored: Mapping[str, Any]) -> tuple[Transition, ...]:
    """Return the moves of noncurrent versions of a stored rule, the coldest class first."""
    return _coldest_first(
        Transition(
            storage_class=one["StorageClass"],
            days=one["NoncurrentDays"],
            newer_noncurrent_versions=one.get("NewerNoncurrentVersions", 0),
        )
        for one in stored.get("NoncurrentVersionTransitions", [])
    )


def _coldest_first(transitions: Any) -> tuple[Transition, ...]:
    return tuple(sorted(transitions, key=lambda one: (coldness(one.storage_class), one.storage_class), reverse=True))


def check_transitions(rule: Mapping[str, Any], *, storage_classes: Collection[str], holds_minima: bool) -> None:
    """Check the moves of a rule in the model's members, against each other and against its expirations.

    `holds_minima` asks for S3's 30 days before and in the classes of infrequent access. Dates are checked elsewhere.
    Raises MalformedXML, InvalidArgument, InvalidRequest, InvalidStorageClass.
    """
    current, noncurrent = rule.get("Transitions", []), rule.get("NoncurrentVersionTransitions", [])
    for one in (*current, *noncurrent):
        _check_class(one, storage_classes)
    for one in current:
        if len(one.keys() & {"Days", "Date"}) != 1:
            raise errors.MalformedXML
        if one.get("Days", 0) < 0:
            raise errors.InvalidArgument("'Days' for Transition action must be nonnegative")
    for one in noncurrent:
        _check_noncurrent(one)
    _check_one_kind(current, rule.get("Expiration", {}))
    _check_order(current, "Days", "Transition", holds_minima=holds_minima)
    _check_order(noncurrent, "NoncurrentDays", "NoncurrentVersionTransition", holds_minima=holds_minima)
    _check_before(current, rule.get("Expiration", {}), "Days", "Transition", "Expiration")
    _check_before(
        noncurrent,
        rule.get("NoncurrentVersionExpiration", {}),
        "NoncurrentDays",
        "NoncurrentVersionTransition",
        "NoncurrentVersionExpiration",
    )


def _check_class(one: Mapping[str, Any], storage_classes: Collection[str]) -> None:
    if "StorageClass" not in one:
        raise errors.MalformedXML
    if one["StorageClass"] not in storage_classes or not is_colder(one["StorageClass"], ""):
        raise errors.InvalidStorageClass(StorageClassRequested=one["StorageClass"])


def _check_noncurrent(one: Mapping[str, Any]) -> None:
    if "NoncurrentDays" not in one:
        raise errors.MalformedXML
    if one["NoncurrentDays"] < 0:
        raise errors.InvalidArgument("'NoncurrentDays' for NoncurrentVersionTransition action must be nonnegative")
    if not 1 <= one.get("NewerNoncurrentVersions", 1) <= NEWER_NONCURRENT_MAX:
        raise errors.InvalidArgument(
            "'NewerNoncurrentVersions' for NoncurrentVersionTransition action must be an integer from 1 to "
            f"{NEWER_NONCURRENT_MAX}"
        )


def _check_one_kind(current: Sequence[Mapping[str, Any]], expiration: Mapping[str, Any]) -> None:
    kinds = {name for one in (*current, expiration) for name in ("Days", "Date") if name in one}
    if current and len(kinds) > 1:
        raise errors.InvalidRequest(
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule"
        )


def _check_order(moves: Sequence[Mapping[str, Any]], age: str, action: str, *, holds_minima: bool) -> None:
    """Check that classes differ and that whatever comes later is colder, late enough for S3 if asked to."""
    if len({one["StorageClass"] for one in moves}) < len(moves):
        raise errors.InvalidRequest(f"'StorageClass' must be different for {action} actions in same 'Rule'")
    ordered = sorted(moves, key=lambda one: one[age if age in one else "Date"])
    for one in ordered:
        if (
            holds_minima
            and one["StorageClass"] in INFREQUENT_CLASSES
            and one.get(age, INFREQUENT_DAYS_MIN) < (INFREQUENT_DAYS_MIN)
        ):
            raise errors.InvalidArgument(
                f"'{age}' in {action} action must be greater than or equal to {INFREQUENT_DAYS_MIN} for storageClass "
                f"'{one['StorageClass']}'"
            )
    for earlier, later in pairwise(ordered):
        _check_successive(earlier, later, age, action, holds_minima=holds_minima)


def _check_successive(
    earlier: Mapping[str, Any], later: Mapping[str, Any], age: str, action: str, *, holds_minima: bool
) -> None:
    classes = f"for StorageClass '{later['StorageClass']}' than for StorageClass '{earlier['StorageClass']}'"
    if not is_colder(later["StorageClass"], earlier["StorageClass"]):
        raise errors.InvalidArgument(f"'{age}' in the {action} action must be fewer {classes}")
    if age not in earlier:
        if later["Date"] == earlier["Date"]:
            raise errors.InvalidArgument(f"'Date' in the {action} action must be later {classes}")
        return
    gap = INFREQUENT_DAYS_MIN if holds_minima and earlier["StorageClass"] in INFREQUENT_CLASSES else 1
    if later[age] - earlier[age] < gap:
        raise errors.InvalidArgument(f"'{age}' in the {action} action must be {gap} more {classes}")


def _check_before(
    moves: Sequence[Mapping[str, Any]], expiration: Mapping[str, Any], age: str, action: str, end: str
) -> None:
    """Check that what expires has been moved before."""
    for name in (age, "Date"):
        if any(name in one and name in expiration and expiration[name] <= one[name] for one in moves):
            raise errors.InvalidArgument(
                f"'{name}' in the {end} action must be greater than '{name}' in the {action} action"
            )
