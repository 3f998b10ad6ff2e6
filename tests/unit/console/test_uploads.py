"""A request's body as `objects` takes it."""

from __future__ import annotations

import io

import pytest
from django.core.handlers.wsgi import WSGIRequest

from console.uploads import DRAIN_SIZE_BYTES_MAX, PIECE_SIZE_BYTES, UploadedStream, drain
from s3protocol import errors


def request_with(body: bytes, *, length: str | None) -> WSGIRequest:
    environ = {"REQUEST_METHOD": "PUT", "wsgi.input": io.BytesIO(body), "SERVER_NAME": "x", "SERVER_PORT": "80"}
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    return WSGIRequest(environ)


def test_a_body_comes_in_pieces() -> None:
    data = bytes(range(256)) * 10_000
    body = UploadedStream(request_with(data, length=str(len(data))))
    pieces = list(body.pieces())
    assert body.size_bytes == len(data)
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= PIECE_SIZE_BYTES


def test_a_body_that_ends_early_is_refused() -> None:
    with pytest.raises(errors.IncompleteBody):
        list(UploadedStream(request_with(b"short", length="50")).pieces())


@pytest.mark.parametrize("length", [None, "", "-1", "many", "9" * 30])
def test_a_body_without_a_length_is_refused(length: str | None) -> None:
    with pytest.raises(errors.MissingContentLength):
        UploadedStream(request_with(b"", length=length))


def test_a_refused_body_is_read_within_bounds() -> None:
    size_bytes = DRAIN_SIZE_BYTES_MAX * 2
    request = request_with(b"x" * size_bytes, length=str(size_bytes))
    drain(request)
    assert len(request.read()) == size_bytes - DRAIN_SIZE_BYTES_MAX
