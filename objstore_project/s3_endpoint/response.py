"""Turn an answer of the protocol into what a WSGI server sends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from email.header import Header
from functools import lru_cache
from http.client import responses
from itertools import chain
from wsgiref.types import StartResponse

from s3protocol.codec import WireResponse
from s3protocol.errors import S3Error, control_error_document, error_document

_BODILESS = frozenset({204, 304})
_LINE_BREAKS = re.compile(r"[\r\n]+")


def success_response(answer: WireResponse, *, is_head: bool) -> WireResponse:
    """Complete an operation's answer. A stream's first piece is read here, so that a failure can still be told."""
    if is_head or answer.status in _BODILESS:
        return replace(answer, body=b"")
    if not isinstance(answer.body, bytes):
        return replace(answer, body=_PrimedStream(answer.body))
    if all(name != "Content-Length" for name, _ in answer.headers):
        answer.headers.append(("Content-Length", str(len(answer.body))))
    return answer


def error_response(
    error: S3Error, *, resource: str, request_id: str, host_id: str, is_head: bool, is_control: bool = False
) -> WireResponse:
    """Render the error document of S3, or of S3 Control."""
    headers = list(error.headers.items())
    if error.status in _BODILESS:
        return WireResponse(error.status, headers, b"")
    render = control_error_document if is_control else error_document
    document = render(error, resource=resource, request_id=request_id, host_id=host_id)
    headers += [("Content-Type", "application/xml"), ("Content-Length", str(0 if is_head else len(document)))]
    return WireResponse(error.status, headers, b"" if is_head else document)


def send(answer: WireResponse, start_response: StartResponse) -> Iterable[bytes]:
    """Hand an answer to the server: a list, which it sends in one step, or a stream."""
    headers = [
        header if header[1].isascii() and header[1].isprintable() else (header[0], _header_text(header[1]))
        for header in answer.headers
    ]
    start_response(_status_line(answer.status), headers)
    return [answer.body] if isinstance(answer.body, bytes) else answer.body


@lru_cache(maxsize=128)
def _status_line(status: int) -> str:
    return f"{status} {responses.get(status, '')}"


def _header_text(value: str) -> str:
    """Return a value as a header can carry it: other characters than ASCII's by RFC 2047, as S3 does, in one line."""
    if value.isascii() and "\n" not in value and "\r" not in value:
        return value
    value = _LINE_BREAKS.sub(" ", value)
    return value if value.isascii() else _LINE_BREAKS.sub(" ", Header(value, "utf-8", maxlinelen=None).encode())


class _PrimedStream:
    """An iterator whose first item has been drawn; closing it closes what it draws from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._source: Iterator[bytes] = iter(pieces)
        first = next(self._source, None)
        self._pieces = iter(()) if first is None else chain((first,), self._source)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the source; the server calls this at the end, or when the client is gone."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
