"""Notification configurations: names are given, old spellings are read, overlaps are found."""

from __future__ import annotations

from typing import Any

import pytest

from buckets.notification import checked_document, rules_of
from s3protocol import errors

ARN = "arn:objstore:sqs::name:webhook"


def queue(*events: str, prefix: str = "", suffix: str = "", arn: str = ARN) -> dict[str, Any]:
    rules = [{"Name": "Prefix", "Value": prefix}, {"Name": "suffix", "Value": suffix}]
    return {"QueueArn": arn, "Events": list(events), "Filter": {"Key": {"FilterRules": rules}}}


def checked(*queues: dict[str, Any]) -> dict[str, Any]:
    numbers = iter(range(1000))
    return checked_document({"QueueConfigurations": list(queues)}, new_id=lambda: f"id-{next(numbers)}")


def test_rules_say_what_the_document_says() -> None:
    (rule,) = rules_of(checked(queue("s3:ObjectCreated:*", prefix="a", suffix="b")))
    assert rule.configuration_id == "id-0"
    assert rule.target is not None
    assert rule.target.arn == ARN
    assert (rule.event_names, rule.prefix, rule.suffix) == (("ObjectCreated:*",), "a", "b")


def test_an_arn_may_name_a_region() -> None:
    (rule,) = rules_of(checked(queue("s3:ObjectCreated:*", arn="arn:objstore:sqs:us-east-1:name:amqp")))
    assert rule.target is not None
    assert (rule.target.name, rule.target.kind) == ("name", "amqp")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (queue("s3:ObjectCreated:*"), queue("s3:ObjectCreated:Copy")),
        (queue("s3:ObjectCreated:Put", prefix="im"), queue("s3:ObjectCreated:Put", prefix="images/")),
        (queue("s3:ObjectCreated:Put", suffix="g"), queue("s3:ObjectCreated:Put", suffix=".jpg")),
        (queue("s3:ObjectCreated:Put", prefix="a", suffix="g"), queue("s3:ObjectCreated:Put")),
    ],
)
def test_one_event_for_two_destinations_is_refused(one: dict[str, Any], other: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidArgument):
        checked(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (queue("s3:ObjectCreated:Put"), queue("s3:ObjectCreated:Copy")),
        (queue("s3:ObjectCreated:*", prefix="a/"), queue("s3:ObjectCreated:*", prefix="b/")),
        (queue("s3:ObjectCreated:*", prefix="a", suffix="x"), queue("s3:ObjectCreated:*", prefix="ab", suffix="y")),
        (queue("s3:ObjectCreated:*"), queue("s3:ObjectRemoved:*")),
    ],
)
def test_different_events_or_keys_may_go_to_different_destinations(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert len(rules_of(checked(one, other))) == 2


def test_the_event_bus_may_have_what_others_have() -> None:
    document = checked_document(
        {"QueueConfigurations": [queue("s3:ObjectCreated:*")], "EventBridgeConfiguration": {}}, new_id=lambda: "id"
    )
    assert [rule.target is None for rule in rules_of(document)] == [False, True]


def test_too_many_are_refused() -> None:
    with pytest.raises(errors.InvalidArgument):
        checked(*(queue("s3:ObjectCreated:*", prefix=f"{number:03d}") for number in range(101)))
