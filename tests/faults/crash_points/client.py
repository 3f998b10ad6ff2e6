"""A boto3 client whose requests are answered in this process, by the S3 endpoint."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config

ACCESS_KEY = "crash-points-access-key"
SECRET_KEY = "the secret key of the crash points"
ENDPOINT = "http://crash.points"


class _Raw(io.BytesIO):
    """An answer's body, as urllib3 would give it."""

    def stream(self, amount: int = 65536) -> Any:
        yield self.read()


@lru_cache(maxsize=1)
def new_client() -> Any:
    """Return a client of the root account; a forked process has its parent's."""
    import objstore_project.s3_endpoint.endpoint  # noqa: F401  loaded once, likewise

    client = boto3.session.Session().client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    client.meta.events.register("before-send.s3", _answer)
    return client


def _answer(request: Any, **_: Any) -> AWSResponse:
    from objstore_project.s3_endpoint.endpoint import serve
    from objstore_project.s3_endpoint.response import send

    url = urlsplit(request.url)
    body = request.body or b""
    stream = io.BytesIO(body) if isinstance(body, bytes | bytearray) else body
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_TYPE": headers.pop("content-type", ""),
        "CONTENT_LENGTH": headers.pop("content-length", ""),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": url.netloc,
        "wsgi.input": stream,
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    started: list[Any] = []
    pieces = send(serve(environ), lambda status, fields: started.extend((status, fields)))  # type: ignore[arg-type]
    content = b"".join(pieces)
    if hasattr(pieces, "close"):
        pieces.close()
    status, fields = started
    return AWSResponse(
        request.url, int(status.split()[0]), {name.lower(): value for name, value in fields}, _Raw(content)
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
