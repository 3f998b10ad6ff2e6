"""The times of the S3 wire, in every form in which they come."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3protocol import timestamps

MOMENT = datetime(2013, 5, 24, 1, 2, 3, tzinfo=UTC)
MOMENTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def test_iso_8601_is_written_with_milliseconds_and_z():
    assert timestamps.format_iso8601(MOMENT.replace(microsecond=450_999)) == "2013-05-24T01:02:03.450Z"
    assert timestamps.format_iso8601_seconds(MOMENT) == "2013-05-24T01:02:03Z"


def test_http_dates_are_written_as_imf_fixdate():
    assert timestamps.format_http_date(MOMENT) == "Fri, 24 May 2013 01:02:03 GMT"


def test_the_basic_form_is_written_as_signatures_need_it():
    assert timestamps.format_basic(MOMENT) == "20130524T010203Z"


@pytest.mark.parametrize(
    "text",
    [
        "Fri, 24 May 2013 01:02:03 GMT",
        "Friday, 24-May-13 01:02:03 GMT",
        "Fri May 24 01:02:03 2013",
        "24 May 2013 01:02:03 GMT",
        "Fri, 24 May 2013 03:02:03 +0200",
        "Fri, 24 May 2013 01:02:03 +0000",
        "Mon, 24 May 2013 01:02:03 GMT",
    ],
)
def test_http_dates_are_read_in_all_forms(text):
    assert timestamps.parse_http_date(text) == MOMENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2013-05-24T01:02:03Z", MOMENT),
        ("2013-05-24T01:02:03.000Z", MOMENT),
        ("2013-05-24T01:02:03.5Z", MOMENT.replace(microsecond=500_000)),
        ("2013-05-24T01:02:03.123456789Z", MOMENT.replace(microsecond=123_456)),
        ("2013-05-24T03:02:03+02:00", MOMENT),
        ("2013-05-24T01:02:03", MOMENT),
        ("2013-05-24", datetime(2013, 5, 24, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_read_with_and_without_its_options(text, expected):
    assert timestamps.parse_iso8601(text) == expected


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (timestamps.parse_basic, "2013-05-24T01:02:03Z"),
        (timestamps.parse_basic, "20130230T010203Z"),
        (timestamps.parse_basic, "20130524T010203Z\n"),
        (timestamps.parse_basic, "\uff120130524T010203Z"),
        (timestamps.parse_http_date, "Bad Date"),
        (timestamps.parse_http_date, ""),
        (timestamps.parse_http_date, "Fri, 24 Mai 2013 01:02:03 GMT"),
        (timestamps.parse_http_date, "Fri, 24 May 2013 01:02:03 XYZ"),
        (timestamps.parse_iso8601, "2013-13-01"),
        (timestamps.parse_iso8601, "0001-01-01T00:00:00+10:00"),
        (timestamps.parse_iso8601, "yesterday"),
    ],
)
def test_what_is_no_time_is_refused(parse, text):
    with pytest.raises(ValueError):
        parse(text)


@given(MOMENTS)
def test_what_is_written_is_read_back(moment):
    whole = moment.replace(microsecond=0)
    assert timestamps.parse_basic(timestamps.format_basic(moment)) == whole
    assert timestamps.parse_http_date(timestamps.format_http_date(moment)) == whole
    milliseconds = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert timestamps.parse_iso8601(timestamps.format_iso8601(moment)) == milliseconds


@given(st.text(alphabet="0123456789-:TZ+., GMTFriMay", max_size=40))
def test_parsers_raise_value_error_alone(text):
    for parse in (timestamps.parse_basic, timestamps.parse_http_date, timestamps.parse_iso8601):
        with suppress(ValueError):
            assert parse(text).tzinfo is UTC
