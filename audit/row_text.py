"""Rows as text: a line each, as PostgreSQL's COPY takes it; and a batch of them as one message, for the metadata's journal.

A message is a line that names the table and the columns, and after it the lines of the rows, compressed by zstd. Pure.
https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2 (text format)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import zstandard

NULL = "\x02"
MESSAGE_PREFIX = "objstore.audit"

_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", NULL: "\\002"}
_ESCAPES = str.maketrans(_ESCAPED)
_UNESCAPES = {text: character for character, text in _ESCAPED.items()}
_ESCAPE = re.compile(r"\\(?:002|.)")
_LEVEL = 1
_PLAIN_BYTES_MAX = 1 << 28


def line_of(row: Sequence[str | None]) -> str:
    """Return a row as a line: tabs between, a character of its own for null, and what has a meaning escaped."""
    texts = [value for value in row if value is not None]
    flat = "".join(texts)
    if flat.isprintable() and "\\" not in flat:  # as good as always, and in a quarter of the time
        return "\t".join([NULL if value is None else value for value in row]) + "\n"
    return "\t".join([NULL if value is None else value.translate(_ESCAPES) for value in row]) + "\n"


def row_of(line: str) -> list[str | None]:
    """Return the row of a line, which ends without its newline."""
    return [None if value == NULL else _unescaped(value) for value in line.split("\t")]


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: _UNESCAPES[found[0]], value) if "\\" in value else value


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table."""

    table: str
    columns: tuple[str, ...]
    text: bytes  # the lines, compressed

    def rows(self) -> Iterator[list[str | None]]:
        """Yield the rows. ValueError where they can't be read."""
        try:
            text = zstandard.ZstdDecompressor().decompress(self.text, max_output_size=_PLAIN_BYTES_MAX).decode()
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        for line in text.split("\n")[:-1]:
            yield row_of(line)


def pack(table: str, columns: Sequence[str], lines: str) -> bytes:
    """Return the message of a batch."""
    head = "\t".join([table, *columns]) + "\n"
    return head.encode() + zstandard.ZstdCompressor(level=_LEVEL).compress(lines.encode())


def unpack(message: bytes) -> Batch:
    """Return the batch of a message. ValueError for what is none."""
    head, separator, text = message.partition(b"\n")
    table, *columns = head.decode().split("\t")
    if not separator or not columns:
        raise ValueError("the message of a batch names no columns")
    return Batch(table, tuple(columns), text)
