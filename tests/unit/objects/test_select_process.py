"""The process of a query ends with its time, with its reader, and with its data."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from pathlib import Path

from objects.select.job import FAILURE, RECORDS, Job
from objects.select.process import SourceFailed, run_job
from tests.live.processes import wait_until

ALL = Job(expression="select * from s3object", input_format="CSV", output_format="CSV")


def endless(has_ended: threading.Event) -> Generator[bytes, None, None]:
    try:
        while True:
            yield b"some,text,that,goes,on\n" * 4_000
    finally:
        has_ended.set()


def queries() -> set[str]:
    """The queries' processes that this one has."""
    children = Path("/proc/self/task").glob("*/children")
    found = {child for one in children for child in one.read_text().split()}
    return {one for one in found if b"objects.select" in Path(f"/proc/{one}/cmdline").read_bytes()}


def test_a_reader_that_goes_away_ends_the_query() -> None:
    has_ended = threading.Event()
    frames = run_job(ALL, endless(has_ended), seconds=300)
    assert next(frames)[0] == RECORDS
    assert queries()
    frames.close()
    assert not queries()
    assert has_ended.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "select"]


def test_a_query_ends_with_its_time() -> None:
    has_ended = threading.Event()
    count = Job(expression="select count(*) from s3object", input_format="CSV", output_format="CSV")
    (kind, payload), *more = run_job(count, endless(has_ended), seconds=0.5)
    assert (kind, json.loads(payload)["code"], more) == (FAILURE, "InternalError", [])
    assert not queries()
    assert has_ended.is_set()


def test_a_reader_that_never_begins_leaves_nothing() -> None:
    run_job(ALL, endless(threading.Event()), seconds=300).close()
    assert not queries()


def test_data_that_cannot_be_read_on_end_the_query() -> None:
    def broken() -> Generator[bytes, None, None]:
        yield b"a,b\n"
        raise SourceFailed("the disk is gone")

    *_, (kind, payload) = run_job(ALL, broken(), seconds=300)
    assert (kind, json.loads(payload)["message"]) == (FAILURE, "the disk is gone")
    wait_until(lambda: not queries(), "the query's process ends")
