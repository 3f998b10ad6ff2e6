"""What a request addresses: the service, a bucket or an object, by path or by host name; or a bucket by its ARN.

`wsgi_s3` keeps the path percent-decoded, as latin-1 text of its bytes (PEP 3333). Nothing is normalised: `..`, `//` and
leading slashes are parts of keys like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from objects.attributes import KEY_BYTES_MAX
from objstore_project.s3_endpoint.control import bucket_of_resource, is_control_request, level_of_control
from s3protocol import errors
from s3protocol.routes import Level

# Names that most requests have, as WSGI spells them and as they are looked for.
_COMMON_HEADERS = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in (
        "accept",
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "expect",
        "host",
        "range",
        "user-agent",
        "x-amz-checksum-mode",
        "x-amz-content-sha256",
        "x-amz-date",
    )
}


@dataclass(frozen=True, slots=True)
class Address:
    """A request's target and its parts, decoded."""

    method: str
    level: Level
    bucket: str | None
    key: str | None
    path: str
    raw_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    virtual_host_bucket: str | None


def read_address(environ: Mapping[str, Any], domains: Sequence[str]) -> Address:
    """Read the target of a request; `domains` are those below which buckets are host names.

    Raises InvalidURI for what is not UTF-8 or holds NUL, KeyTooLongError.
    """
    headers = read_headers(environ)
    try:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise errors.InvalidURI from None
    if "\0" in path:
        raise errors.InvalidURI("The key holds a NUL character, which no key can.")
    virtual_host_bucket = bucket_of_host(headers.get("host", ""), domains)
    is_control = is_control_request(environ["REQUEST_METHOD"], path, headers, virtual_host_bucket)
    if is_control:
        bucket, key, virtual_host_bucket = bucket_of_resource(path), "", None
    elif virtual_host_bucket is not None:
        bucket, key = virtual_host_bucket, path.removeprefix("/")
    else:
        bucket, _, key = path.removeprefix("/").partition("/")
    if len(key) * 4 > KEY_BYTES_MAX and len(key.encode()) > KEY_BYTES_MAX:
        raise errors.KeyTooLongError(Size=str(len(key.encode())), MaxSizeAllowed=str(KEY_BYTES_MAX))
    raw_query = environ.get("QUERY_STRING", "")
    query = _read_query(raw_query)
    _restore_underscores(headers, query)
    return Address(
        method=environ["REQUEST_METHOD"],
        level=level_of_control(path)
        if is_control
        else Level.OBJECT
        if key
        else Level.BUCKET
        if bucket
        else Level.SERVICE,
        bucket=bucket or None,
        key=key or None,
        path=path,
        raw_query=raw_query,
        query=query,
        headers=headers,
        virtual_host_bucket=virtual_host_bucket,
    )


def read_headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Collect a request's headers by lower-case name."""
    headers = {
        _COMMON_HEADERS.get(name) or name[5:].lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    if environ.get("CONTENT_LENGTH"):
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return headers


def _restore_underscores(headers: dict[str, str], query: Mapping[str, str]) -> None:
    """Give headers their names back that WSGI has taken: it writes an underscore and a dash alike.

    A signature lists the names that it covers, so that x-amz-meta-user_id is told from x-amz-meta-user-id.
    """
    signed = headers.get("authorization", "").partition("SignedHeaders=")[2].partition(",")[0]
    signed = signed or query.get("X-Amz-SignedHeaders", "")
    if "_" not in signed:
        return
    names = [name.strip() for name in signed.lower().split(";")]
    for name in names:
        arrived = name.replace("_", "-")
        if name not in headers and arrived in headers and arrived not in names:
            headers[name] = headers.pop(arrived)


def _read_query(raw_query: str) -> dict[str, str]:
    """Decode the query; the first of equal names wins. Raises InvalidURI for what is not UTF-8."""
    if not raw_query:
        return {}
    query: dict[str, str] = {}
    try:
        for pair in raw_query.split("&"):
            name, _, value = pair.partition("=")
            if name:
                query.setdefault(unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict"))
    except UnicodeDecodeError:
        raise errors.InvalidURI from None
    if "\0" in raw_query or "%00" in raw_query:
        raise errors.InvalidArgument("A query parameter holds a NUL character.")
    return query


def bucket_of_host(host: str, domains: Sequence[str]) -> str | None:
    """Return the bucket that a host name names below one of the domains, if it does."""
    if not domains:
        return None
    name = host.partition(":")[0].lower()
    for domain in domains:
        if name.endswith("." + domain):
            return name[: -len(domain) - 1]
    return None
