"""What a query yields, as CSV or lines of JSON. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from objects.select.job import Job


def shown_number(value: float | Decimal) -> str:
    """Render a number, a whole one without a fraction."""
    if not math.isfinite(value):
        return "null"
    if value == int(value) and abs(float(value)) < 1e15:
        return str(int(value))
    return format(value, "f") if isinstance(value, Decimal) else repr(value)


def shown_text(value: Any) -> str | None:
    """Render a value as CSV has it; None for nothing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
        return text if value.tzinfo is not None else text + "Z"
    if isinstance(value, float | Decimal):
        return shown_number(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=shown_text)
    return str(value)


class Writer:
    """Renders records in the form that a job asks for. `json_columns` hold JSON as text."""

    def __init__(self, job: Job, names: Sequence[str], json_columns: Sequence[bool], *, is_json_record: bool) -> None:
        self._job = job
        self._names = names
        self._json_columns = json_columns
        self._is_json_record = is_json_record
        special = {job.out_field_delimiter, job.out_quote, "\n", "\r", *job.out_record_delimiter}
        self._special = tuple(character for character in special if character)

    def render(self, row: Sequence[Any], *, trims: bool) -> str:
        """Render a record; `trims` leaves out fields at its end that it does not have."""
        if self._job.output_format == "JSON":
            return self._json(row, trims=trims) + self._job.out_record_delimiter
        values = list(row)
        if self._is_json_record:
            document = json.loads(values[0])
            values = list(document.values()) if isinstance(document, dict) else [document]
        else:
            values = [
                self._unwrapped(value) if is_json else value
                for value, is_json in zip(values, self._json_columns, strict=True)
            ]
        while trims and values and values[-1] is None:
            values.pop()
        return self._job.out_field_delimiter.join(map(self._field, values)) + self._job.out_record_delimiter

    def _unwrapped(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)

    def _field(self, value: Any) -> str:
        text = shown_text(value)
        if text is None:
            text = ""
        quote = self._job.out_quote
        if self._job.quotes_always or any(character in text for character in self._special):
            escaped = text.replace(quote, self._job.out_quote_escape + quote) if quote else text
            return f"{quote}{escaped}{quote}"
        return text

    def _json(self, row: Sequence[Any], *, trims: bool) -> str:
        if self._is_json_record:
            return json.dumps(json.loads(row[0]), ensure_ascii=False, separators=(",", ":"))
        members: dict[str, Any] = {}
        for name, value, is_json in zip(self._names, row, self._json_columns, strict=True):
            if value is None and (trims or is_json):
                continue  # what a record does not have is not told of
            members[name] = self._unwrapped(value) if is_json else self._json_value(value)
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    def _json_value(self, value: Any) -> Any:
        if isinstance(value, float | Decimal):
            if not math.isfinite(value):
                return None
            return int(value) if value == int(value) and abs(float(value)) < 1e15 else float(value)
        return value if value is None or isinstance(value, bool | int | str | dict | list) else shown_text(value)
