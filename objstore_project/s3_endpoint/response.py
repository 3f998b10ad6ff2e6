"""Turn an answer of the protocol into Django's response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from s3protocol.codec import WireResponse
from s3protocol.errors import S3Error, error_document

_BODILESS = frozenset({204, 304})


def success_response(answer: WireResponse, *, is_head: bool) -> HttpResponseBase:
    """Answer with an operation's result. A stream's first piece is read here, so that a failure can still be told."""
    response: HttpResponseBase
    if is_head or isinstance(answer.body, bytes):
        response = HttpResponse(b"" if is_head else answer.body, status=answer.status)
    else:
        response = StreamingHttpResponse(_PrimedStream(answer.body), status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.headers:
        response.headers[name] = value
    if is_head or answer.status in _BODILESS:
        return response
    if isinstance(answer.body, bytes):
        response.headers["Content-Length"] = str(len(answer.body))
    return response


def error_response(error: S3Error, *, resource: str, request_id: str, host_id: str, is_head: bool) -> HttpResponse:
    """Answer with S3's error document."""
    bodiless = is_head or error.status in _BODILESS
    document = b"" if bodiless else error_document(error, resource=resource, request_id=request_id, host_id=host_id)
    response = HttpResponse(document, status=error.status, content_type="application/xml")
    if error.status in _BODILESS:
        del response.headers["Content-Type"]
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


class _PrimedStream:
    """An iterator whose first item has been drawn; closing it closes what it draws from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._source: Iterator[bytes] = iter(pieces)
        first = next(self._source, None)
        self._pieces = iter(()) if first is None else chain((first,), self._source)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the source; Django calls this at the end, or when the client is gone."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
