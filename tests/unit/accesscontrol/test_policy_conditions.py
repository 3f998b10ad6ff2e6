"""Condition operators, one row for what each does."""

from __future__ import annotations

from typing import Any

import pytest

from accesscontrol.policy.conditions import parse_conditions
from accesscontrol.policy.request import normalized_key


def holds(condition: dict[str, Any], **context: Any) -> bool:
    values = {
        normalized_key(key.replace("__", ":")): tuple(value) if isinstance(value, list) else (value,)
        for key, value in context.items()
    }
    return all(test.holds(values) for test in parse_conditions(condition, has_variables=True))


@pytest.mark.parametrize(
    ("operator", "wanted", "matching", "other"),
    [
        ("StringEquals", "a*", "a*", "ab"),
        ("StringEquals", ["x", "a"], "a", "b"),
        ("StringNotEquals", "a", "b", "a"),
        ("StringEqualsIgnoreCase", "AbC", "aBc", "abd"),
        ("StringNotEqualsIgnoreCase", "AbC", "x", "abc"),
        ("StringLike", "a*c?", "abbcd", "abbc"),
        ("StringNotLike", "a*", "b", "ab"),
        ("NumericEquals", 10, "10", "11"),
        ("NumericNotEquals", "10", "9", "10.0"),
        ("NumericLessThan", "10", "9", "10"),
        ("NumericLessThanEquals", "10", "10", "11"),
        ("NumericGreaterThan", "10", "11", "10"),
        ("NumericGreaterThanEquals", "1.5", "1.5", "1"),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01Z"),
        ("DateNotEquals", "2026-01-01", "2026-01-02", "2026-01-01T00:00:00Z"),
        ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"),
        ("DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+00:00", "2026-01-01T00:00:00Z"),
        ("DateGreaterThanEquals", "2026", "2026-01-01", "2025-12-31"),
        ("Bool", True, "true", "false"),
        ("Bool", "FALSE", "false", "true"),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", "QmluYXJ="),
        ("IpAddress", "203.0.113.0/24", "203.0.113.7", "203.0.114.7"),
        ("IpAddress", "2001:db8::/32", "2001:db8::1", "203.0.113.7"),
        ("IpAddress", "203.0.113.7", "::ffff:203.0.113.7", "no address"),
        ("NotIpAddress", ["203.0.113.0/24", "10.0.0.0/8"], "192.0.2.1", "10.1.1.1"),
        ("ArnEquals", "arn:aws:iam::*:user/a*", "arn:aws:iam::111122223333:user/a/b", "arn:aws:iam::1:role/a"),
        ("ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/x:y", "arn:aws:s3::1:b/x"),
        ("ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::c", "arn:aws:s3:::b"),
        ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", "arn:aws:s3:::bc"),
    ],
)
def test_operators_compare(operator: str, wanted: object, matching: str, other: str) -> None:
    condition = {operator: {"aws:Key": wanted}}
    assert holds(condition, aws__key=matching)
    assert not holds(condition, aws__key=other)
    is_negated = "Not" in operator
    assert holds(condition) is is_negated
    assert holds({f"{operator}IfExists": {"aws:Key": wanted}})


def test_null_asks_whether_a_key_is_there() -> None:
    assert holds({"Null": {"aws:Key": "true"}})
    assert not holds({"Null": {"aws:Key": True}}, aws__key="x")
    assert holds({"Null": {"aws:Key": "false"}}, aws__key="x")
    assert not holds({"Null": {"aws:Key": "false"}})


@pytest.mark.parametrize(
    ("operator", "found", "is_held"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["c", "a"], False),
        ("ForAnyValue:StringEquals", ["c", "a"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringEquals", [], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a"], False),
        ("ForAnyValue:StringNotEquals", [], False),
        ("ForAnyValue:StringLikeIfExists", [], True),
    ],
)
def test_quantifiers_count_the_values_of_the_request(*, operator: str, found: list[str], is_held: bool) -> None:
    assert holds({operator: {"s3:RequestObjectTagKeys": ["a", "b"]}}, s3__requestobjecttagkeys=found) is is_held


def test_all_keys_and_operators_must_hold() -> None:
    condition = {"StringEquals": {"aws:A": "1", "aws:B": "2"}, "Bool": {"aws:C": "true"}}
    assert holds(condition, aws__a="1", aws__b="2", aws__c="true")
    assert not holds(condition, aws__a="1", aws__b="2", aws__c="false")
    assert not holds(condition, aws__a="1", aws__c="true")


def test_values_may_hold_variables() -> None:
    condition = {"StringLike": {"s3:prefix": ["${aws:username}/*"]}}
    assert holds(condition, s3__prefix="bob/x", aws__username="bob")
    assert not holds(condition, s3__prefix="eve/x", aws__username="bob")
    assert not holds(condition, s3__prefix="*/x", aws__username="bob")
    assert not holds(condition, s3__prefix="bob/x")


def test_defaults_of_variables_are_taken_for_what_they_are_and_tags_may_hold_spaces() -> None:
    assert holds({"StringEquals": {"aws:x": "${aws:username, '*'}"}}, aws__x="*")
    assert not holds({"StringEquals": {"aws:x": "${aws:username, '*'}"}}, aws__x="anybody")
    tagged = {"StringLike": {"aws:x": "${aws:PrincipalTag/Cost Center}/*"}}
    assert holds(tagged, aws__x="a/b", **{"aws__PrincipalTag/Cost Center": "a"})


def test_networks_of_version_4_in_version_6_s_clothes_are_the_former() -> None:
    condition = {"IpAddress": {"aws:SourceIp": "::ffff:10.0.0.0/104"}}
    assert holds(condition, aws__SourceIp="10.1.1.1")
    assert holds(condition, aws__SourceIp="::ffff:10.1.1.1")
    assert not holds(condition, aws__SourceIp="11.1.1.1")


def test_equality_takes_a_variable_s_value_for_what_it_is() -> None:
    condition = {"StringEquals": {"s3:prefix": "*${aws:username}"}}
    assert holds(condition, s3__prefix="*b*b", aws__username="b*b")
    assert not holds(condition, s3__prefix="xb*b", aws__username="b*b")


def test_keys_are_caseless_with_the_tag_in_them() -> None:
    condition = {"StringEquals": {"S3:existingObjectTag/Stage": "prod"}}
    assert holds(condition, **{"s3__ExistingObjectTag/Stage": "prod"})
    assert holds(condition, **{"s3__ExistingObjectTag/stage": "prod"})
    assert not holds(condition, **{"s3__ExistingObjectTag/stage": "Prod"})
