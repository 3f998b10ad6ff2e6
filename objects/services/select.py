"""Run a query over an object (`objects.select.process`) and say its answer as an event stream."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator

from django.conf import settings
from django.db import connection

from chunks.errors import NotEnoughFragments
from objects.select.errors import SelectError
from objects.select.job import FAILURE, PROGRESS, RECORDS, STATS, Job
from objects.select.process import Frame, Pieces, SourceFailed, run_job
from objects.selectors.lookup import VersionRecord
from objects.services.read import iterate_version
from s3protocol import errors
from s3protocol.eventstream import encode_event, encode_failure

PARQUET_BYTES_MAX = 4 << 30
XML = "text/xml"

QUERIES_AT_ONCE = 4  # in each process of the gateway
WAIT_SECONDS = 30
_places = threading.BoundedSemaphore(QUERIES_AT_ONCE)


def select_object_content(version: VersionRecord, job: Job, *, first: int, data_key: bytes | None) -> Iterator[bytes]:
    """Yield the messages of the event stream that answers a query over the bytes from `first` on.

    Raises SelectError for what is wrong before the first record; what goes wrong later ends the stream.
    """
    frames = _run(version, job, first=first, data_key=data_key)
    opening = next(frames, None)
    if opening is not None and opening[0] == FAILURE:
        frames.close()
        raise SelectError(**json.loads(opening[1]))
    return _messages(opening, frames)


def _messages(opening: Frame | None, frames: Generator[Frame, None, None]) -> Iterator[bytes]:
    frame = opening
    try:
        while frame is not None:
            kind, payload = frame
            if kind == RECORDS:
                yield encode_event("Records", payload, "application/octet-stream")
            elif kind == FAILURE:
                told = json.loads(payload)
                yield encode_failure(told["code"], told["message"])
                return
            else:
                name = "Progress" if kind == PROGRESS else "Stats"
                yield encode_event(name, _figures(name, json.loads(payload)), XML)
                if kind == STATS:
                    yield encode_event("End")
                    return
            frame = next(frames, None)
        yield encode_failure("InternalError", "The query ended before its time.")
    finally:
        frames.close()


def _figures(name: str, figures: dict[str, int]) -> bytes:
    members = "".join(f"<{member}>{value}</{member}>" for member, value in figures.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{members}</{name}>'.encode()


def _run(version: VersionRecord, job: Job, *, first: int, data_key: bytes | None) -> Generator[Frame, None, None]:
    """Yield the frames of the process that runs a job; closing kills it. Raises SlowDown when too many run."""
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise errors.SlowDown
    try:
        pieces = _pieces(version, first, data_key)
        yield from run_job(job, pieces, seconds=settings.OBJSTORE_SELECT_SECONDS, after_feeding=_let_go_of_connection)
    except SourceFailed as failure:
        raise errors.ServiceUnavailable(str(failure)) from failure
    finally:
        _places.release()


def _let_go_of_connection() -> None:
    """End what the thread that fed has with the database: `connection` is another one in each thread."""
    connection.release()  # type: ignore[attr-defined]  # our engine's
    if connection.connection is not None:
        connection.close()


def _pieces(version: VersionRecord, first: int, data_key: bytes | None) -> Pieces:
    try:
        yield from iterate_version(version, first, version.size_bytes - first, data_key=data_key)
    except NotEnoughFragments:
        raise SourceFailed("Too few fragments of the object can be read at the moment.") from None
