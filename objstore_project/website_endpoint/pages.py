"""The pages that the website endpoint makes itself, for those websites that bring none. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from http.client import responses

from s3protocol.codec import WireResponse
from s3protocol.errors import S3Error


def error_page(error: S3Error, *, request_id: str, host_id: str, nested: S3Error | None = None) -> WireResponse:
    """Render an error as S3's website endpoint does; `nested` is why the website's own page can't be shown."""
    title = f"{error.status} {responses.get(error.status, '')}".strip()
    told = [*_told(error), ("RequestId", request_id), ("HostId", host_id)]
    inner = _list(told)
    if nested is not None:
        inner += "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n" + _list(
            _told(nested)
        )
    page = (
        f"<html>\n<head><title>{escape(title)}</title></head>\n<body>\n<h1>{escape(title)}</h1>\n{inner}<hr/>\n"
        "</body>\n</html>\n"
    )
    headers = [("Content-Type", "text/html; charset=utf-8"), *error_headers(error), *error.headers.items()]
    return WireResponse(error.status, headers, page.encode())


def error_headers(error: S3Error) -> list[tuple[str, str]]:
    """Return the headers that tell programs of an error."""
    return [("x-amz-error-code", error.code), ("x-amz-error-message", error.message)]


def redirect_page(status: int, address: str) -> WireResponse:
    """Send a browser elsewhere."""
    return WireResponse(status, [("Location", address), ("Content-Length", "0")], b"")


def _told(error: S3Error) -> list[tuple[str, str]]:
    return [("Code", error.code), ("Message", error.message), *error.members.items()]


def _list(told: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"<li>{escape(name)}: {escape(str(value))}</li>\n" for name, value in told)
    return f"<ul>\n{lines}</ul>\n"
