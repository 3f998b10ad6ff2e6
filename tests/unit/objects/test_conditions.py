"""Conditional requests."""

from datetime import UTC, datetime, timedelta

import pytest

from objects.conditions import ReadConditions, check_read, check_source, matches, unquote_etag
from s3protocol import errors

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)
EARLIER, SAME_SECOND, LATER = (
    MODIFIED - timedelta(hours=1),
    MODIFIED.replace(microsecond=0),
    MODIFIED + timedelta(hours=1),
)


def check(**conditions):
    check_read(ReadConditions(**conditions), etag="abc", modified_at=MODIFIED)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"if_match": '"abc"'},
        {"if_match": "*"},
        {"if_match": 'W/"x", "abc"'},
        {"if_none_match": '"xyz"'},
        {"if_modified_since": EARLIER},
        {"if_unmodified_since": SAME_SECOND},
        {"if_match": "abc", "if_unmodified_since": EARLIER},
        {"if_none_match": '"xyz"', "if_modified_since": LATER},
    ],
)
def test_conditions_that_hold_let_the_read_through(conditions):
    check(**conditions)


@pytest.mark.parametrize("conditions", [{"if_match": '"xyz"'}, {"if_unmodified_since": EARLIER}])
def test_a_precondition_that_fails_is_412(conditions):
    with pytest.raises(errors.PreconditionFailed):
        check(**conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        {"if_none_match": '"abc"'},
        {"if_none_match": "*"},
        {"if_modified_since": SAME_SECOND},
        {"if_modified_since": LATER},
    ],
)
def test_what_the_client_has_already_is_304(conditions):
    with pytest.raises(errors.NotModified):
        check(**conditions)


@pytest.mark.parametrize(
    ("conditions", "name"),
    [
        ({"if_match": "xyz"}, "If-Match"),
        ({"if_unmodified_since": EARLIER}, "If-Unmodified-Since"),
        ({"if_none_match": "abc"}, "If-None-Match"),
        ({"if_modified_since": LATER}, "If-Modified-Since"),
    ],
)
def test_a_copy_answers_412_always_and_names_the_condition(conditions, name):
    with pytest.raises(errors.PreconditionFailed) as failed:
        check_source(ReadConditions(**conditions), etag="abc", modified_at=MODIFIED)
    assert failed.value.members["Condition"] == f"x-amz-copy-source-{name}"


def test_etags_are_compared_without_their_quotes():
    assert unquote_etag(' "abc" ') == "abc"
    assert matches('"x","abc"', "abc")
    assert not matches('"abcd"', "abc")
