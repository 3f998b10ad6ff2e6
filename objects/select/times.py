"""How times are written: in data that are read as such, and in the patterns of TO_STRING. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-select-sql-reference-date.html
"""

from __future__ import annotations

from objects.select.errors import SelectError

TIMES = "['%Y%m%dT%H%M%SZ', '%Y%m%d', '%Y', '%YT', '%Y-%m', '%Y-%mT', '%Y-%m-%dT', '%Y-%m-%dT%H:%MZ']"
_FORMATS = {
    "yyyy": "%Y",
    "yy": "%y",
    "y": "%Y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "a": "%p",
    "hh": "%I",
    "h": "%-I",
    "HH": "%H",
    "H": "%-H",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSSSSS": "%f",
    "SSS": "%g",
    "XXX": "Z",
    "XX": "Z",
    "X": "Z",
    "xxx": "+00:00",
    "xx": "+0000",
    "x": "+00",
}


def time_format(pattern: str) -> str:
    """Turn a pattern of TO_STRING into one of strftime; times are UTC. Raises SelectError."""
    result, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        run = len(pattern[position:]) - len(pattern[position:].lstrip(character))
        symbol = pattern[position : position + run]
        if not (character.isascii() and character.isalpha()) or character == "T":
            result.append(symbol.replace("%", "%%"))
        elif symbol in _FORMATS:
            result.append(_FORMATS[symbol])
        else:
            raise SelectError("EvaluatorInvalidTimestampFormatPatternSymbol", f"TO_STRING does not know {symbol}.")
        position += run
    return "".join(result)
