"""Notification configurations: what AWS refuses, and the rules that the writing functions match. Pure.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html and, for what may
overlap, https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from events.arns import Service, TargetName, parse_arn
from s3protocol import errors

KIND = "notification"
CONFIGURATION_COUNT_MAX = 100
ID_LENGTH_MAX = 255
FILTER_VALUE_BYTES_MAX = 1_024

_LISTS = (
    ("TopicConfigurations", "TopicArn", Service.TOPIC),
    ("QueueConfigurations", "QueueArn", Service.QUEUE),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", Service.FUNCTION),
)
_EVENT_BUS = "EventBridgeConfiguration"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which events go to a target; event names are without `s3:`, and `*` is every event. No target is the event bus."""

    configuration_id: str
    target: TargetName | None
    event_names: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""


EVERY_EVENT = ("*",)


def checked_document(configuration: Mapping[str, Any], *, new_id: Callable[[], str]) -> dict[str, Any]:
    """Return what is to be stored of a NotificationConfiguration; configurations without an Id get one.

    Raises InvalidArgument. Whether the targets exist is for the caller.
    """
    stored: dict[str, Any] = {}
    for list_name, arn_name, service in _LISTS:
        entries = [_checked_entry(entry, arn_name, service, new_id) for entry in configuration.get(list_name, [])]
        if entries:
            stored[list_name] = entries
    if _EVENT_BUS in configuration:
        stored[_EVENT_BUS] = {}
    entries = [entry for name, _, _ in _LISTS for entry in stored.get(name, [])]
    if len(entries) > CONFIGURATION_COUNT_MAX:
        raise errors.InvalidArgument(
            f"A bucket can have {CONFIGURATION_COUNT_MAX} notification configurations at most."
        )
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise errors.InvalidArgument("Same ID used for multiple configurations. IDs must be unique")
    _check_overlaps(rules_of(stored))
    return stored


def _checked_entry(
    entry: Mapping[str, Any], arn_name: str, service: Service, new_id: Callable[[], str]
) -> dict[str, Any]:
    if len(entry.get("Id", "")) > ID_LENGTH_MAX:
        raise errors.InvalidArgument(f"The Id of a configuration has {ID_LENGTH_MAX} characters at most.")
    arn = entry[arn_name]
    target = parse_arn(arn)
    if target is None or target.service != service:
        raise errors.InvalidArgument("The ARN could not be parsed", ArgumentName=arn_name, ArgumentValue=arn)
    if not entry["Events"]:
        raise errors.MalformedXML
    if len(set(entry["Events"])) < len(entry["Events"]):
        raise errors.InvalidArgument("An event is named more than once in a configuration.")
    stored = {**entry, "Id": entry.get("Id") or new_id()}
    if "Filter" in entry:
        stored["Filter"] = _checked_filter(entry["Filter"])
    return stored


def _checked_filter(said: Mapping[str, Any]) -> dict[str, Any]:
    seen = set()
    checked = []
    for rule in said.get("Key", {}).get("FilterRules", []):
        name, value = rule.get("Name", "").lower(), rule.get("Value", "")
        if name not in {"prefix", "suffix"}:
            raise errors.InvalidArgument(
                "filter rule name must be either prefix or suffix",
                ArgumentName="FilterRule.Name",
                ArgumentValue=rule.get("Name", ""),
            )
        if name in seen:
            raise errors.InvalidArgument(f"Cannot specify more than one {name} rule in a filter.")
        if len(value.encode()) > FILTER_VALUE_BYTES_MAX:
            raise errors.InvalidArgument(
                f"Size of filter rule value cannot exceed {FILTER_VALUE_BYTES_MAX} bytes in UTF-8 representation"
            )
        seen.add(name)
        checked.append({"Name": name.capitalize(), "Value": value})
    return {"Key": {"FilterRules": checked}} if checked else {}


def rules_of(document: Mapping[str, Any]) -> list[Rule]:
    """Return the rules of a stored document."""
    return list(_rules(document))


def _rules(document: Mapping[str, Any]) -> Iterator[Rule]:
    for list_name, arn_name, _ in _LISTS:
        for entry in document.get(list_name, []):
            filters = {
                rule["Name"].lower(): rule["Value"]
                for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
            }
            yield Rule(
                configuration_id=entry["Id"],
                target=parse_arn(entry[arn_name]),
                event_names=tuple(name.removeprefix("s3:") for name in entry["Events"]),
                prefix=filters.get("prefix", ""),
                suffix=filters.get("suffix", ""),
            )
    if _EVENT_BUS in document:
        yield Rule(configuration_id="", target=None, event_names=EVERY_EVENT)


def _check_overlaps(rules: list[Rule]) -> None:
    """Raise InvalidArgument where an object's event could go to two destinations; the event bus may have it, too."""
    for one, other in combinations([rule for rule in rules if rule.target is not None], 2):
        if not _share_events(one, other):
            continue
        if _nested(one.prefix, other.prefix, str.startswith) and _nested(one.suffix, other.suffix, str.endswith):
            raise errors.InvalidArgument(
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
                "are overlapping for the same event type."
            )


def _share_events(one: Rule, other: Rule) -> bool:
    return any(_includes(a, b) or _includes(b, a) for a in one.event_names for b in other.event_names)


def _includes(wider: str, narrower: str) -> bool:
    return wider == narrower or (wider.endswith(":*") and narrower.startswith(wider[:-1]))


def _nested(one: str, other: str, begins: Callable[[str, str], bool]) -> bool:
    return begins(one, other) or begins(other, one)
