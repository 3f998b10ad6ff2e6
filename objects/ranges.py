"""Byte ranges of an object: what a Range header or a copy source range selects. Pure.

Source: RFC 9110, section 14. S3 serves one range; a header with several, or one that is no range at all, is ignored and
the whole object served, as RFC 9110 allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from s3protocol import errors

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*")
_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A run of bytes: its first byte and its length, inside an object of `total_bytes`."""

    start: int
    length: int
    total_bytes: int

    @property
    def content_range(self) -> str:
        """Render the Content-Range header."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.total_bytes}"


def parse_range(header: str | None, total_bytes: int) -> ByteRange | None:
    """Return the selected range, or None for the whole object. Raises InvalidRange when nothing can be selected."""
    match = _RANGE.fullmatch(header) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        length = min(int(last), total_bytes)
        start = total_bytes - length
    else:
        start = int(first)
        if last and int(last) < start:
            return None
        length = (min(int(last), total_bytes - 1) if last else total_bytes - 1) - start + 1
    if length <= 0:
        raise errors.InvalidRange(
            RangeRequested=(header or "").strip(),
            ActualObjectSize=str(total_bytes),
            headers={"Content-Range": f"bytes */{total_bytes}"},
        )
    return ByteRange(start, length, total_bytes)


def parse_copy_source_range(header: str, total_bytes: int) -> ByteRange:
    """Return the range of a part copy: first and last byte, both there. Raises InvalidArgument or InvalidRange."""
    match = _COPY_RANGE.fullmatch(header)
    if match is None:
        raise errors.InvalidArgument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    first, last = int(match[1]), int(match[2])
    if first > last:
        raise errors.InvalidArgument(ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    if last >= total_bytes:
        raise errors.InvalidRange(
            f"Range specified is not valid for source object of size: {total_bytes}",
            RangeRequested=header,
            ActualObjectSize=str(total_bytes),
        )
    return ByteRange(first, last - first + 1, total_bytes)
