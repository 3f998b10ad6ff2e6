"""What the process that runs a query is told, as JSON: the query and how data come in and go out. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

RECORDS, PROGRESS, STATS, FAILURE = b"R", b"P", b"S", b"E"
"""The frames of its answers: a kind, four bytes of length (big-endian), so many bytes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A query. Sizes in bytes; `skip_to` and `end` bound which records count, by where in the object they begin."""

    expression: str
    input_format: str  # CSV, JSON, Parquet
    output_format: str  # CSV, JSON
    compression: str = "NONE"
    header: str = "NONE"
    field_delimiter: str = ","
    record_delimiter: str = "\n"
    quote: str = '"'
    quote_escape: str = '"'
    comments: str = ""
    is_document: bool = False
    out_field_delimiter: str = ","
    out_record_delimiter: str = "\n"
    out_quote: str = '"'
    out_quote_escape: str = '"'
    quotes_always: bool = False
    wants_progress: bool = False
    first_byte: int = 0
    end: int | None = None
    memory_mib: int = 256
    cpu_seconds: int = 300

    def encode(self) -> bytes:
        """Render it as a line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def decode(cls, line: bytes) -> Job:
        """Read the line."""
        return cls(**json.loads(line))
