from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from objstore_project.supervisor.output import JoinedLog

Reader = Callable[[], str]


@pytest.fixture
def pipe() -> tuple[int, Reader]:
    read, write = os.pipe()
    return write, lambda: os.read(read, 65536).decode()


def test_a_line_is_marked_with_the_name_of_its_process(pipe: tuple[int, Reader]) -> None:
    JoinedLog(pipe[0]).write("gateway", b"a line\r")
    assert pipe[1]() == "gateway    | a line\n"


def test_names_have_colours_of_their_own_on_a_terminal(pipe: tuple[int, Reader]) -> None:
    log = JoinedLog(pipe[0], is_coloured=True)
    for name in ("gateway", "worker", "gateway"):
        log.write(name, b"x")
    marks = [line.split("|")[0] for line in pipe[1]().splitlines()]
    assert marks[0] == marks[2] != marks[1]


def test_json_lines_get_the_name_as_a_member_and_text_becomes_json(pipe: tuple[int, Reader]) -> None:
    log = JoinedLog(pipe[0], is_json=True)
    log.write("gateway", b'{"message": "x", "level": "info"}')
    log.write("valkey", b"{not json")
    log.banner("for people")
    assert [json.loads(line) for line in pipe[1]().splitlines()] == [
        {"process": "gateway", "message": "x", "level": "info"},
        {"process": "valkey", "message": "{not json"},
    ]


def test_bytes_that_are_no_text_are_shown_and_empty_lines_dropped(pipe: tuple[int, Reader]) -> None:
    log = JoinedLog(pipe[0])
    log.write("valkey", b"  ")
    log.write("valkey", b"\xff")
    assert pipe[1]() == "valkey     | \N{REPLACEMENT CHARACTER}\n"


def test_a_reader_that_went_away_stops_the_log_and_nothing_else() -> None:
    read, write = os.pipe()
    os.close(read)
    log = JoinedLog(write)
    log.say("x")
    log.say("y")
    assert not log.is_open
