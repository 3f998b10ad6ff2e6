"""The times of the S3 wire: ISO 8601 in XML, HTTP dates in headers, the basic form in signatures.

Not for: the current time (an argument everywhere in this package) and dates inside policies. Every parser returns an
aware datetime in UTC and raises ValueError, never anything else; the caller knows which S3 error that is.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS: Final = {name.lower(): number for number, name in enumerate(_MONTHS, start=1)}
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OFFSETS_OF_ZONES: Final = {"GMT": 0, "UTC": 0, "UT": 0, "Z": 0}

# Requests of the same second are signed with the same time; clocks differ, and uploads retry.
_SECONDS_CACHED_MAX: Final = 1024

_BASIC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_ISO8601 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_CLOCK = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
# RFC 1123 ("Fri, 24 May 2013 00:00:00 GMT"), RFC 850 ("Friday, 24-May-13 00:00:00 GMT"); the weekday is not checked:
# it carries no information, and clients send wrong ones.
_RFC_1123 = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?([0-9]{1,2})[ -]([A-Za-z]{3})[ -]([0-9]{4}|[0-9]{2})\s+"
    + _CLOCK
    + r"\s+([A-Z]{1,3}|[+-][0-9]{4})"
)
# The form of asctime in C: Fri May 24 00:00:00 2013.
_ASCTIME = re.compile(r"[A-Za-z]{3}\s+([A-Za-z]{3})\s+([0-9]{1,2})\s+" + _CLOCK + r"\s+([0-9]{4})")


def format_iso8601(moment: datetime) -> str:
    """Render as XML bodies do, in UTC with milliseconds: 2013-05-24T00:00:00.000Z."""
    utc = moment.astimezone(UTC)
    return (
        f"{utc.year:04d}-{utc.month:02d}-{utc.day:02d}T{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d}"
        f".{utc.microsecond // 1000:03d}Z"
    )


def format_iso8601_seconds(moment: datetime) -> str:
    """Render in UTC without a fraction, as S3's error documents do: 2013-05-24T00:00:00Z."""
    return format_iso8601(moment)[:19] + "Z"


def parse_iso8601(text: str) -> datetime:
    """Read a date, or a date and time with optional fraction and zone; without a zone it is UTC. ValueError if not."""
    match = _ISO8601.fullmatch(text.strip())
    if match is None:
        message = f"not an ISO 8601 time: {text!r}"
        raise ValueError(message)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    moment = datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), microsecond, UTC
    )
    return _shifted_to_utc(moment, _offset_minutes(zone.replace(":", "").upper()) if zone else 0)


def format_http_date(moment: datetime) -> str:
    """Render an IMF-fixdate (RFC 9110, section 5.6.7): Fri, 24 May 2013 00:00:00 GMT."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return (
        f"{_WEEKDAYS[utc.weekday()]}, {utc.day:02d} {_MONTHS[utc.month - 1]} {utc.year:04d} "
        f"{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d} GMT"
    )


def parse_http_date(text: str) -> datetime:
    """Read the three HTTP forms of RFC 9110, and RFC 822 with a numeric zone. ValueError if it is none of them."""
    if match := _RFC_1123.fullmatch(text.strip()):
        day, month_name, year, hour, minute, second, zone = match.groups()
        return _shifted_to_utc(_http_moment(year, month_name, day, hour, minute, second), _offset_minutes(zone))
    if match := _ASCTIME.fullmatch(text.strip()):
        month_name, day, hour, minute, second, year = match.groups()
        return _http_moment(year, month_name, day, hour, minute, second)
    message = f"not an HTTP date: {text!r}"
    raise ValueError(message)


@lru_cache(maxsize=_SECONDS_CACHED_MAX)
def format_basic(moment: datetime) -> str:
    """Render the basic ISO 8601 form that Signature Version 4 signs: 20130524T000000Z."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04d}{utc.month:02d}{utc.day:02d}T{utc.hour:02d}{utc.minute:02d}{utc.second:02d}Z"


@lru_cache(maxsize=_SECONDS_CACHED_MAX)
def parse_basic(text: str) -> datetime:
    """Read 20130524T000000Z and nothing else. ValueError if it is not that."""
    match = _BASIC.fullmatch(text)
    if match is None:
        message = f"not a basic ISO 8601 time: {text!r}"
        raise ValueError(message)
    year, month, day, hour, minute, second = match.groups()
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), 0, UTC)


def _http_moment(year: str, month_name: str, day: str, *clock: str | None) -> datetime:
    month = _MONTH_NUMBERS.get(month_name.lower())
    if month is None:
        message = f"not a month: {month_name!r}"
        raise ValueError(message)
    hour, minute, second = (int(part or 0) for part in clock)
    return datetime(_full_year(year), month, int(day), hour, minute, second, 0, UTC)


def _full_year(text: str) -> int:
    """Widen RFC 850's two digits around 1970, as C libraries do: RFC 9110's "50 years ahead" would need a clock."""
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= 70 else 2000)


def _offset_minutes(zone: str) -> int:
    if zone in _OFFSETS_OF_ZONES:
        return _OFFSETS_OF_ZONES[zone]
    if zone[0] not in "+-":
        message = f"not a time zone: {zone!r}"
        raise ValueError(message)
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return -minutes if zone[0] == "-" else minutes


def _shifted_to_utc(moment: datetime, offset_minutes: int) -> datetime:
    if not offset_minutes:
        return moment
    try:
        return moment - timedelta(minutes=offset_minutes)
    except OverflowError as error:
        message = "a time beyond the calendar"
        raise ValueError(message) from error
