"""Lifecycle rules: what is taken, what is due when, and what headers say."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buckets.lifecycle import (
    Rule,
    RuleFilter,
    abort_of,
    age_cutoff,
    checked_document,
    enabled_rules,
    expiration_header,
    over_at,
    shown_rules,
)
from s3protocol import errors

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)
DAY = 86_400


def rule(**members):
    return {"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}, **members}


def checked(*rules):
    return checked_document({"Rules": list(rules)}, new_id=lambda: "made", storage_classes={"COLD"})


def test_an_age_is_over_at_the_midnight_after_its_days():
    assert over_at(NOON, 1) == datetime(2026, 1, 4, tzinfo=UTC)
    assert over_at(MIDNIGHT, 1) == datetime(2026, 1, 3, tzinfo=UTC)
    assert age_cutoff(NOON, 1, DAY) == datetime(2026, 1, 1, tzinfo=UTC)
    assert age_cutoff(NOON, 2, 10) == NOON - timedelta(seconds=20)


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, MOMENTS, st.integers(1, 10_000) | st.integers(1, 2**31 - 1), st.sampled_from([1, 5, 10, 3_600, DAY]))
def test_both_ways_to_say_when_an_age_is_over_agree(began_at, now, days, day_seconds):
    is_over = over_at(began_at, days, day_seconds) <= now
    assert is_over == (began_at <= age_cutoff(now, days, day_seconds))


def test_a_filter_asks_for_all_that_it_says():
    chosen = RuleFilter("logs/", (("a", "1"), ("b", "2")), 10, 20)
    fitting = {"key": "logs/x", "size_bytes": 15, "tags": {"a": "1", "b": "2", "c": "3"}}
    assert chosen.fits(**fitting)
    for other in (
        {"key": "log"},
        {"size_bytes": 10},
        {"size_bytes": 20},
        {"tags": {"a": "1"}},
        {"tags": {"a": "1", "b": "3"}},
    ):
        assert not chosen.fits(**(fitting | other))
    assert RuleFilter("logs/").is_of_keys_alone
    assert not chosen.is_of_keys_alone


def test_the_header_tells_the_first_expiration():
    rules = [
        Rule("late", RuleFilter(), expire_days=5),
        Rule("a b", RuleFilter("k"), expire_days=1),
        Rule("dated", RuleFilter(), expire_at=datetime(2030, 1, 1, tzinfo=UTC)),
        Rule("other", RuleFilter("x"), expire_at=MIDNIGHT),
    ]
    said = {"key": "k", "size_bytes": 0, "tags": {}, "created_at": NOON}
    assert expiration_header(rules, **said) == 'expiry-date="Sun, 04 Jan 2026 00:00:00 GMT", rule-id="a%20b"'
    assert expiration_header(rules[3:], **said) is None
    assert abort_of([Rule("r", RuleFilter("k"), abort_days=2)], key="k", created_at=MIDNIGHT) == (
        datetime(2026, 1, 4, tzinfo=UTC),
        "r",
    )


def test_rules_are_stored_with_ids_and_read_back():
    said = [
        rule(Expiration={"Date": MIDNIGHT}),
        rule(ID="two", Status="Disabled"),
        rule(
            ID="three",
            Filter={"And": {"Prefix": "p", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeLessThan": 9}},
            Expiration={"Days": 3},
            NoncurrentVersionExpiration={"NoncurrentDays": 2, "NewerNoncurrentVersions": 4},
        ),
        {
            "Status": "Enabled",
            "Prefix": "old/",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "ID": "4",
        },
        rule(ID="5", Filter={"Tag": {"Key": "k", "Value": "v"}}),
        rule(ID="6", Expiration={"ExpiredObjectDeleteMarker": True}),
    ]
    stored = checked(*said)
    assert shown_rules(stored) == [{**said[0], "ID": "made"}, *said[1:]]
    tag = (("k", "v"),)
    assert enabled_rules(stored) == [
        Rule("made", RuleFilter(), expire_at=MIDNIGHT),
        Rule("three", RuleFilter("p", tag, None, 9), expire_days=3, noncurrent_days=2, newer_noncurrent_versions=4),
        Rule("4", RuleFilter("old/"), abort_days=7),
        Rule("5", RuleFilter(tags=tag), expire_days=1),
        Rule("6", RuleFilter(), expires_lone_markers=True),
    ]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"ID": "i" * 256}, errors.InvalidArgument),
        ({"Expiration": {"Days": 0}}, errors.InvalidArgument),
        ({"Expiration": {"Date": NOON}}, errors.InvalidArgument),
        ({"Expiration": {}}, errors.MalformedXML),
        ({"Expiration": {"Days": 1, "Date": MIDNIGHT}}, errors.MalformedXML),
        ({"Prefix": "both"}, errors.MalformedXML),
        ({"Filter": {"Prefix": "a", "Tag": {"Key": "k", "Value": "v"}}}, errors.MalformedXML),
        ({"Filter": {"And": {}}}, errors.MalformedXML),
        (
            {"Filter": {"And": {"Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]}}},
            errors.InvalidRequest,
        ),
        ({"Filter": {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}}, errors.InvalidRequest),
        ({"Filter": {"ObjectSizeLessThan": -1}}, errors.InvalidRequest),
        (
            {"Filter": {"ObjectSizeLessThan": 9}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
            errors.InvalidRequest,
        ),
        ({"NoncurrentVersionExpiration": {}}, errors.MalformedXML),
        ({"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}, errors.InvalidArgument),
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}},
            errors.InvalidArgument,
        ),
        ({"AbortIncompleteMultipartUpload": {}}, errors.MalformedXML),
        ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}, errors.InvalidArgument),
        ({"Transitions": [{"Days": 1}]}, errors.MalformedXML),
        ({"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}, errors.InvalidStorageClass),
        ({"Transitions": [{"Date": NOON, "StorageClass": "COLD"}]}, errors.InvalidArgument),
        ({"Transitions": [{"Days": -1, "StorageClass": "COLD"}]}, errors.InvalidArgument),
        ({"Transitions": [{"Days": 1, "Date": MIDNIGHT, "StorageClass": "COLD"}]}, errors.MalformedXML),
        ({"NoncurrentVersionTransitions": [{"StorageClass": "COLD"}]}, errors.MalformedXML),
        ({"NoncurrentVersionTransitions": [{"NoncurrentDays": -1, "StorageClass": "COLD"}]}, errors.InvalidArgument),
    ],
)
def test_rules_that_s3_would_not_take_are_refused(wrong, error):
    with pytest.raises(error):
        checked(rule(**wrong))


def test_a_configuration_has_rules_with_actions_and_ids_of_their_own():
    with pytest.raises(errors.MalformedXML):
        checked()
    with pytest.raises(errors.MalformedXML):
        checked({"Status": "Enabled", "Expiration": {"Days": 1}})
    with pytest.raises(errors.InvalidRequest):
        checked({"Status": "Enabled", "Filter": {}})
    with pytest.raises(errors.InvalidArgument):
        checked(rule(ID="a"), rule(ID="a"))


ALL_CLASSES = {"STANDARD", "STANDARD_IA", "GLACIER", "DEEP_ARCHIVE", "COLD"}


def moves(*ages_and_classes, holds_minima=True, **more):
    transitions = [{"Days": days, "StorageClass": name} for days, name in ages_and_classes]
    document = {"Rules": [{"Status": "Enabled", "Filter": {}, "Transitions": transitions, **more}]}
    return checked_document(document, new_id=lambda: "made", storage_classes=ALL_CLASSES, holds_minima=holds_minima)


def test_transitions_lead_from_warm_to_cold_and_then_to_the_end():
    moves((30, "STANDARD_IA"), (60, "GLACIER"), (61, "DEEP_ARCHIVE"), Expiration={"Days": 62})
    moves((0, "GLACIER"))
    moves((1, "STANDARD_IA"), (2, "GLACIER"), holds_minima=False)
    (rule,) = enabled_rules(moves((30, "STANDARD_IA"), (60, "GLACIER")))
    assert [(one.storage_class, one.days) for one in rule.transitions] == [("GLACIER", 60), ("STANDARD_IA", 30)]


@pytest.mark.parametrize(
    ("wrong", "more", "error"),
    [
        ([(1, "STANDARD")], {}, errors.InvalidStorageClass),
        ([(29, "STANDARD_IA")], {}, errors.InvalidArgument),
        ([(30, "STANDARD_IA"), (59, "GLACIER")], {}, errors.InvalidArgument),
        ([(1, "DEEP_ARCHIVE"), (2, "GLACIER")], {}, errors.InvalidArgument),
        ([(1, "GLACIER"), (1, "DEEP_ARCHIVE")], {}, errors.InvalidArgument),
        ([(1, "GLACIER"), (2, "GLACIER")], {}, errors.InvalidRequest),
        ([(1, "GLACIER")], {"Expiration": {"Days": 1}}, errors.InvalidArgument),
        ([(1, "GLACIER")], {"Expiration": {"Date": MIDNIGHT}}, errors.InvalidRequest),
    ],
)
def test_transitions_that_s3_would_not_take_are_refused(wrong, more, error):
    with pytest.raises(error):
        moves(*wrong, **more)
