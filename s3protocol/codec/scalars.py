"""Scalars of the wire: text to value and back, for the simple shapes of the model.

A reader is compiled once for each shape and place. Readers raise ValueError alone; whoever knows the place (an XML
element, a header, a query parameter) knows which S3 error that is. Python's own int() and float() are too generous
for a protocol ("1_000", Arabic digits), hence the patterns. Not here: lists, structures and maps.
"""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from botocore.model import Shape

from s3protocol import quirks
from s3protocol.timestamps import format_http_date, format_iso8601, parse_http_date, parse_iso8601

TextReader = Callable[[str], Any]
TextWriter = Callable[[Any], str]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_INTEGER_BITS: Final = {"integer": 31, "long": 63}
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}


def read_text(text: str) -> str:
    """Take text as it is: white space belongs to an object key."""
    return text


def read_boolean(text: str) -> bool:
    """Read the four spellings of XML Schema, in any case: Python clients send "True"."""
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


def read_time(text: str) -> datetime:
    """Read either form that the wire knows, whichever the model prescribes: clients mix them up."""
    try:
        return parse_iso8601(text)
    except ValueError:
        return parse_http_date(text)


def _integer_reader(bits: int) -> TextReader:
    limit = 1 << bits

    def read_integer(text: str) -> int:
        stripped = text.strip()
        if _INTEGER.fullmatch(stripped) is None:
            raise ValueError("not an integer")
        value = int(stripped)
        if not -limit <= value < limit:
            raise ValueError("out of range")
        return value

    return read_integer


def _enumeration_reader(shape: Shape) -> TextReader:
    values = frozenset(shape.enum) | frozenset(quirks.MORE_VALUES.get(shape.name, ()))
    if shape.name in quirks.CASELESS_ENUMERATIONS:
        by_upper_case: dict[str, str] = {value.upper(): value for value in values}

        def read_caseless(text: str) -> str:
            try:
                return by_upper_case[text.strip().upper()]
            except KeyError:
                raise ValueError("not one of the defined values") from None

        return read_caseless

    def read_enumerated(text: str) -> str:
        stripped = text.strip()
        if stripped not in values:
            raise ValueError("not one of the defined values")
        return stripped

    return read_enumerated


def text_reader(shape: Shape) -> TextReader:
    """Compile the reader of a simple shape."""
    match shape.type_name:
        case "string":
            is_closed = shape.enum and shape.name not in quirks.OPEN_ENUMERATIONS
            return _enumeration_reader(shape) if is_closed else read_text
        case "integer" | "long":
            return _integer_reader(_INTEGER_BITS[shape.type_name])
        case "boolean":
            return read_boolean
        case "timestamp":
            return read_text if shape.name in quirks.OPAQUE_TIMES else read_time
    raise AssertionError(f"shape {shape.name} of type {shape.type_name} is no scalar")


def write_boolean(value: bool) -> str:  # noqa: FBT001 - the value is what is written
    """Write XML Schema's words."""
    return "true" if value else "false"


def write_iso8601(moment: datetime) -> str:
    """Write 2026-01-02T03:04:05.678Z; the common case, a time already in UTC, takes the short way."""
    if moment.tzinfo is UTC:
        return moment.isoformat(timespec="milliseconds")[:23] + "Z"
    return format_iso8601(moment)


def _write_opaque_time(value: str | datetime) -> str:
    return value if isinstance(value, str) else format_http_date(value)


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def text_writer(shape: Shape, default_time_format: str) -> TextWriter:
    """Compile the writer of a simple shape; `default_time_format` (iso8601, rfc822) is the place's."""
    match shape.type_name:
        case "string":
            return str
        case "integer" | "long":
            return int.__str__
        case "boolean":
            return write_boolean
        case "blob":
            return _write_base64
        case "timestamp" if shape.name in quirks.OPAQUE_TIMES:
            return _write_opaque_time
        case "timestamp":
            time_format = shape.serialization.get("timestampFormat", default_time_format)
            return write_iso8601 if time_format == "iso8601" else format_http_date
    raise AssertionError(f"shape {shape.name} of type {shape.type_name} is no scalar")
