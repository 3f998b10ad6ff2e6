from __future__ import annotations

import json
import logging
import sys

from objstore_project.logging import JsonFormatter, TextFormatter, request_id


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("objstore.test", logging.WARNING, __file__, 1, message, arguments, None)
    made.created, made.msecs = 1_700_000_000.25, 250.0
    vars(made).update(extra)
    return made


def test_text_names_time_level_logger_and_members() -> None:
    line = TextFormatter().format(record("stored %s", "it", size_bytes=5))
    assert line == "2023-11-14T22:13:20.250Z WARNING objstore.test: stored it size_bytes=5"


def test_json_is_one_object_a_line() -> None:
    event = json.loads(JsonFormatter().format(record("two\nlines", size_bytes=5)))
    assert event == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "logger": "objstore.test",
        "message": "two\nlines",
        "size_bytes": 5,
    }


def test_the_request_id_of_the_moment_is_part_of_each_line() -> None:
    token = request_id.set("R1")
    try:
        assert TextFormatter().format(record("x")).endswith("x request_id=R1")
        assert json.loads(JsonFormatter().format(record("x")))["request_id"] == "R1"
    finally:
        request_id.reset(token)


def test_an_exception_stays_in_the_event() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        failed = record("x")
        failed.exc_info = sys.exc_info()
    assert "ValueError: why" in TextFormatter().format(failed)
    assert "ValueError: why" in json.loads(JsonFormatter().format(failed))["exception"]


def test_a_message_cannot_begin_a_line_that_looks_like_an_event() -> None:
    assert all(
        line.startswith(("2023", "    ")) for line in TextFormatter().format(record("a\n2023-forged")).split("\n")
    )
