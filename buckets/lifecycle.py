"""Lifecycle rules: what is stored, what is due, and when. Pure; whoever carries them out is `objects.services.lifecycle`.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html

Theory: an age of n days is over at the first midnight (UTC) that is at least n days after the beginning. So what is due
changes at midnight alone, and a rule needs to be carried out once a day. `day_seconds` is the length of such a day where
time is made to run faster; midnights are then the multiples of it since 1970. Headers tell calendar days always.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from buckets.lifecycle_transitions import (
    NEWER_NONCURRENT_MAX,
    Transition,
    check_transitions,
    read_noncurrent_transitions,
    read_transitions,
)
from s3protocol import errors
from s3protocol.timestamps import format_http_date, format_iso8601, parse_iso8601

KIND = "lifecycle"
"""Under which kind a bucket's rules are stored."""

RULE_COUNT_MAX = 1_000
ID_LENGTH_MAX = 255
CALENDAR_DAY_SECONDS = 86_400
FIRST_MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MIDNIGHT = datetime(9999, 12, 31, tzinfo=UTC)
"""What stands for times before and behind all others: S3 takes days up to 2,147,483,647, the calendar does not."""
MINIMUM_SIZE = "TransitionDefaultMinimumObjectSize"
DEFAULT_MINIMUM_SIZE = "all_storage_classes_128K"


@dataclass(frozen=True, slots=True)
class RuleFilter:
    """Which objects a rule is about; all that is said must hold. Sizes in bytes, both bounds exclusive."""

    prefix: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    size_greater_than: int | None = None
    size_less_than: int | None = None

    @property
    def names_size(self) -> bool:
        """Whether it says itself which sizes it is about."""
        return self.size_greater_than is not None or self.size_less_than is not None

    @property
    def is_of_keys_alone(self) -> bool:
        """Whether it also fits what has neither tags nor size: delete markers and uploads."""
        return not self.tags and self.size_greater_than is None and self.size_less_than is None

    def fits(self, *, key: str, size_bytes: int, tags: Mapping[str, str]) -> bool:
        """Say whether an object is one of those."""
        return (
            key.startswith(self.prefix)
            and all(tags.get(name) == value for name, value in self.tags)
            and (self.size_greater_than is None or size_bytes > self.size_greater_than)
            and (self.size_less_than is None or size_bytes < self.size_less_than)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is enabled. What is None is not asked for."""

    id: str
    filter: RuleFilter
    expire_days: int | None = None
    expire_at: datetime | None = None
    expires_lone_markers: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent_versions: int = 0
    abort_days: int | None = None
    transitions: tuple[Transition, ...] = ()
    noncurrent_transitions: tuple[Transition, ...] = ()


def day_start(moment: datetime, day_seconds: int) -> datetime:
    """Return the latest midnight."""
    seconds = moment.timestamp()
    return datetime.fromtimestamp(math.floor(seconds / day_seconds) * day_seconds, UTC)


def age_cutoff(now: datetime, days: int, day_seconds: int) -> datetime:
    """Return the time up to which something must have begun for its `days` to be over."""
    start = day_start(now, day_seconds)
    if days * day_seconds > (start - FIRST_MIDNIGHT).total_seconds():
        return FIRST_MIDNIGHT
    return start - timedelta(seconds=days * day_seconds)


def over_at(began_at: datetime, days: int, day_seconds: int = CALENDAR_DAY_SECONDS) -> datetime:
    """Return when `days` that began at a time are over: the other way to say `age_cutoff`."""
    if days * day_seconds > (LAST_MIDNIGHT - began_at).total_seconds() - day_seconds:
        return LAST_MIDNIGHT
    over = began_at + timedelta(seconds=days * day_seconds)
    start = day_start(over, day_seconds)
    return start if start == over else start + timedelta(seconds=day_seconds)


def expiration_header(
    rules: Iterable[Rule], *, key: str, size_bytes: int, tags: Mapping[str, str], created_at: datetime
) -> str | None:
    """Say when an object expires and by which rule, as x-amz-expiration does; None if no rule says so."""
    found: tuple[datetime, str] | None = None
    for rule in rules:
        if not rule.filter.fits(key=key, size_bytes=size_bytes, tags=tags):
            continue
        expires_at = rule.expire_at
        if rule.expire_days is not None:
            expires_at = over_at(created_at, rule.expire_days)
        if expires_at is not None and (found is None or expires_at < found[0]):
            found = expires_at, rule.id
    if found is None:
        return None
    return f'expiry-date="{format_http_date(found[0])}", rule-id="{quote(found[1])}"'


def abort_of(rules: Iterable[Rule], *, key: str, created_at: datetime) -> tuple[datetime, str] | None:
    """Return when and by which rule an upload is aborted, None if by none."""
    found = [
        (over_at(created_at, rule.abort_days), rule.id)
        for rule in rules
        if rule.abort_days is not None and key.startswith(rule.filter.prefix)
    ]
    return min(found, default=None)


def enabled_rules(document: Mapping[str, Any]) -> list[Rule]:
    """Read the enabled rules of a stored document."""
    return [_rule(stored) for stored in document["Rules"] if stored["Status"] == "Enabled"]


def _rule(stored: Mapping[str, Any]) -> Rule:
    expiration = stored.get("Expiration", {})
    noncurrent = stored.get("NoncurrentVersionExpiration", {})
    return Rule(
        id=stored["ID"],
        filter=_filter(stored),
        expire_days=expiration.get("Days"),
        expire_at=parse_iso8601(expiration["Date"]) if "Date" in expiration else None,
        expires_lone_markers=expiration.get("ExpiredObjectDeleteMarker", False),
        noncurrent_days=noncurrent.get("NoncurrentDays"),
        newer_noncurrent_versions=noncurrent.get("NewerNoncurrentVersions", 0),
        abort_days=stored.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        transitions=read_transitions(stored),
        noncurrent_transitions=read_noncurrent_transitions(stored),
    )


def _filter(stored: Mapping[str, Any]) -> RuleFilter:
    if "Filter" not in stored:
        return RuleFilter(prefix=stored.get("Prefix", ""))
    said = stored["Filter"]
    said = said.get("And", said)
    tags = [said["Tag"]] if "Tag" in said else said.get("Tags", [])
    return RuleFilter(
        prefix=said.get("Prefix", ""),
        tags=tuple((tag["Key"], tag["Value"]) for tag in tags),
        size_greater_than=said.get("ObjectSizeGreaterThan"),
        size_less_than=said.get("ObjectSizeLessThan"),
    )


def shown_rules(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Render the rules of a stored document in the model's members."""
    return [_with_dates(rule, parse_iso8601) for rule in document["Rules"]]


def _with_dates(rule: Mapping[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Return a rule with its dates converted."""
    converted = dict(rule)
    if "Date" in converted.get("Expiration", {}):
        converted["Expiration"] = {**converted["Expiration"], "Date": convert(converted["Expiration"]["Date"])}
    if "Transitions" in converted:
        converted["Transitions"] = [
            {**one, "Date": convert(one["Date"])} if "Date" in one else one for one in converted["Transitions"]
        ]
    return converted


def checked_document(
    configuration: Mapping[str, Any],
    *,
    new_id: Callable[[], str],
    storage_classes: Collection[str],
    holds_minima: bool = True,
) -> dict[str, Any]:
    """Return what is to be stored of a BucketLifecycleConfiguration; rules without an ID get one.

    `holds_minima` asks of transitions the days that S3 asks for. Raises MalformedXML, InvalidArgument, InvalidRequest, and InvalidStorageClass for a class that is not configured.
    """
    rules = configuration.get("Rules", [])
    if not 1 <= len(rules) <= RULE_COUNT_MAX:
        raise errors.MalformedXML
    stored = []
    for rule in rules:
        _check_rule(rule, storage_classes, holds_minima=holds_minima)
        stored.append(_with_dates({**rule, "ID": rule.get("ID") or new_id()}, format_iso8601))
    if len({rule["ID"] for rule in stored}) < len(stored):
        raise errors.InvalidArgument("Rule ID must be unique. Found same ID for more than one rule")
    return {"Rules": stored}


def _check_rule(rule: Mapping[str, Any], storage_classes: Collection[str], *, holds_minima: bool) -> None:
    if len(rule.get("ID", "")) > ID_LENGTH_MAX:
        raise errors.InvalidArgument(f"ID length should not exceed allowed limit of {ID_LENGTH_MAX}")
    if ("Prefix" in rule) == ("Filter" in rule):
        raise errors.MalformedXML
    _check_filter(rule.get("Filter", {}))
    actions = rule.keys() & {
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
        "Transitions",
        "NoncurrentVersionTransitions",
    }
    if not actions:
        raise errors.InvalidRequest("At least one action needs to be specified in a rule")
    is_of_keys_alone = _filter(rule).is_of_keys_alone
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"], is_of_keys_alone=is_of_keys_alone)
    if "NoncurrentVersionExpiration" in rule:
        _check_noncurrent(rule["NoncurrentVersionExpiration"])
    if "AbortIncompleteMultipartUpload" in rule:
        _check_abort(rule["AbortIncompleteMultipartUpload"], is_of_keys_alone=is_of_keys_alone)
    for transition in rule.get("Transitions", []):
        if "Date" in transition:
            _check_midnight(transition["Date"])
    check_transitions(rule, storage_classes=storage_classes, holds_minima=holds_minima)


def _check_filter(said: Mapping[str, Any]) -> None:
    if len(said) > 1:
        raise errors.MalformedXML
    joined = said.get("And", said)
    if "And" in said and not joined:
        raise errors.MalformedXML
    names = [tag["Key"] for tag in joined.get("Tags", [])]
    if len(set(names)) < len(names):
        raise errors.InvalidRequest("Duplicate Tag Keys are not allowed.")
    lowest, highest = joined.get("ObjectSizeGreaterThan"), joined.get("ObjectSizeLessThan")
    if any(size is not None and size < 0 for size in (lowest, highest)):
        raise errors.InvalidRequest("Object sizes of a filter must not be negative.")
    if lowest is not None and highest is not None and highest <= lowest:
        raise errors.InvalidRequest("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _check_expiration(expiration: Mapping[str, Any], *, is_of_keys_alone: bool) -> None:
    if len(expiration) != 1:
        raise errors.MalformedXML
    if "Days" in expiration:
        _check_positive(expiration["Days"], "Days", "Expiration")
    if "Date" in expiration:
        _check_midnight(expiration["Date"])
    if "ExpiredObjectDeleteMarker" in expiration and not is_of_keys_alone:
        raise errors.InvalidRequest("ExpiredObjectDeleteMarker cannot be specified with a filter of tags or sizes.")


def _check_noncurrent(expiration: Mapping[str, Any]) -> None:
    if "NoncurrentDays" not in expiration:
        raise errors.MalformedXML
    _check_positive(expiration["NoncurrentDays"], "NoncurrentDays", "NoncurrentVersionExpiration")
    if not 1 <= expiration.get("NewerNoncurrentVersions", 1) <= NEWER_NONCURRENT_MAX:
        raise errors.InvalidArgument(
            "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be an integer from 1 to "
            f"{NEWER_NONCURRENT_MAX}"
        )


def _check_abort(abort: Mapping[str, Any], *, is_of_keys_alone: bool) -> None:
    if "DaysAfterInitiation" not in abort:
        raise errors.MalformedXML
    _check_positive(abort["DaysAfterInitiation"], "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
    if not is_of_keys_alone:
        raise errors.InvalidRequest(
            "AbortIncompleteMultipartUpload cannot be specified with a filter of tags or sizes."
        )


def _check_positive(days: int, name: str, action: str) -> None:
    if days <= 0:
        raise errors.InvalidArgument(f"'{name}' for {action} action must be a positive integer")


def _check_midnight(date: datetime) -> None:
    if date != day_start(date, CALENDAR_DAY_SECONDS):
        raise errors.InvalidArgument("'Date' must be at midnight GMT")
