"""Serve share links on the S3 port, below `/-/share/`, which no bucket is named: an origin where nobody is signed in.

What is shared is somebody's bytes: it is sent as a file to save, in a sandbox, and never as a page of this origin. The
listing of a prefix is our own page, without a script. Every answer has a row in the audit log; what the link gives is what
its maker may read at that moment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.utils.http import content_disposition_header

from accesscontrol.request_facts import RequestFacts
from audit.draft import AuditDraft, begin
from chunks.errors import NotEnoughFragments
from objects.ranges import ByteRange, parse_range
from objects.selectors.lookup import VersionRecord
from objects.services.archive import require_unarchived
from objects.services.encryption import unwrap
from objects.services.read import iterate_version
from objstore_project.s3_endpoint.address import bucket_of_host, read_headers
from objstore_project.s3_endpoint.audit_trail import new_draft, record
from objstore_project.s3_endpoint.rates import keep_rates_of
from s3protocol import errors
from s3protocol.codec import WireResponse
from sharing.models import ShareLink
from sharing.selectors import decide_listing, find_share_link, list_shared, open_shared, why_ended
from sharing.services import PASSWORD_LENGTH_MAX, count_download

logger = logging.getLogger("objstore.share")

PREFIX = "/-/share/"
FAILURES_MAX = 10
FAILURE_WINDOW_SECONDS = 60
_REMEMBERED_SECONDS = 300.0
_REMEMBERED_MAX = 1_000
_TOKEN_LENGTH_MAX = 64

_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-downloads"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex"),
    ("Cache-Control", "private, no-store"),
)
_known_passwords: dict[bytes, float] = {}


class _Refusal(Exception):
    """An answer that gives nothing: its status, a sentence, and more headers."""

    def __init__(self, status: int, code: str, sentence: str, *headers: tuple[str, str]) -> None:
        self.status, self.code, self.sentence, self.headers = status, code, sentence, headers
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request for a link."""

    environ: Mapping[str, Any]
    headers: Mapping[str, str]
    token: str
    rest: str
    draft: AuditDraft

    @property
    def facts(self) -> RequestFacts:
        """What conditions of policies may ask."""
        return RequestFacts(
            headers=self.headers,
            source_ip=self.environ.get("REMOTE_ADDR", ""),
            is_secure=self.environ["wsgi.url_scheme"] == "https",
            now=datetime.now(UTC),
            region=settings.OBJSTORE_REGION,
        )


def is_share_link(environ: Mapping[str, Any]) -> bool:
    """Say whether a request is for a share link; in a bucket that is addressed by host name, it is for a key."""
    if not environ["PATH_INFO"].startswith(PREFIX):
        return False
    return bucket_of_host(environ.get("HTTP_HOST", ""), settings.OBJSTORE_DOMAINS) is None


def serve_share(environ: Mapping[str, Any]) -> WireResponse:
    """Answer a request below PREFIX, whatever happens."""
    request_id = secrets.token_hex(8).upper()
    draft = new_draft(environ, request_id)
    draft.source, draft.operation, draft.principal = "share", "share:download", "*"
    token = environ["PATH_INFO"].removeprefix(PREFIX).partition("/")[0]
    draft.path, draft.query = environ["PATH_INFO"].replace(token, f"{token[:6]}…", 1) if token else PREFIX, ""
    draft.path = draft.path.encode().decode("latin-1")
    begin(draft)
    code = ""
    try:
        response = _answer(environ, draft)
    except _Refusal as refusal:
        draft.error_reason, code = refusal.sentence, refusal.code
        response = _page(refusal.status, refusal.sentence, f"<p>{escape(refusal.sentence)}</p>", *refusal.headers)
    except errors.S3Error as error:
        draft.error_reason, code = error.message, error.code
        response = _page(error.status, error.code, f"<p>{escape(error.message)}</p>", *error.headers.items())
    except (OperationalError, InterfaceError, NotEnoughFragments) as failure:
        logger.warning("request %s: %s", request_id, failure)
        code = "ServiceUnavailable"
        response = _page(503, "Not now", "<p>This can't be served at the moment. Try again later.</p>")
    except Exception:
        logger.exception("request %s failed", request_id)
        code = "InternalError"
        response = _page(500, "Failure", "<p>Something went wrong here.</p>")
    if environ["REQUEST_METHOD"] == "HEAD":
        response = WireResponse(response.status, response.headers, b"")
    response.headers.append(("x-amz-request-id", request_id))
    return record(draft, response, code)


def _answer(environ: Mapping[str, Any], draft: AuditDraft) -> WireResponse:
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        raise _Refusal(405, "MethodNotAllowed", "A share link can only be read.", ("Allow", "GET, HEAD"))
    try:
        path = environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeError:
        raise _no_such_link() from None
    token, _, rest = path.removeprefix(PREFIX).partition("/")
    link = find_share_link(token) if 0 < len(token) <= _TOKEN_LENGTH_MAX and "\0" not in path else None
    if link is None:
        raise _no_such_link()
    visit = _Visit(environ, read_headers(environ), token, rest, draft)
    draft.bucket, draft.key, draft.owner_id = link.bucket.name, link.key, link.bucket.owner_id
    draft.version_id, draft.access_key_id = link.version_id or None, f"share:{link.pk}"
    keep_rates_of(draft, account_id=link.creator.account_id, bucket_id=link.bucket_id)
    ended = why_ended(link, datetime.now(UTC))
    if ended is not None:
        raise _Refusal(410, "LinkEnded", f"This link {ended}.")
    _check_password(link, visit)
    if not link.is_prefix:
        if rest:
            raise _no_such_link()
        return _download(link, link.key, visit)
    key = link.key + rest
    draft.key = key
    if not rest or rest.endswith("/"):
        return _listing(link, key, visit)
    return _download(link, key, visit)


def _no_such_link() -> _Refusal:
    return _Refusal(404, "NoSuchLink", "There is no such link.")


def _check_password(link: ShareLink, visit: _Visit) -> None:
    """Ask for the link's password by HTTP's own means. Some wrong ones in a minute, and the link has to wait."""
    if not link.password:
        return
    given = _basic_password(visit.headers.get("authorization", ""))
    known = hashlib.sha256(f"{link.pk}\0{link.password}\0{given}".encode()).digest()
    now = time.monotonic()
    if given is not None and _known_passwords.get(known, 0) > now:
        return
    if given is not None and not _may_try(link):
        raise _Refusal(429, "SlowDown", "Too many wrong passwords. Wait a minute.", ("Retry-After", "60"))
    if given is not None and check_password(given, link.password):
        _take_back(link)
        if len(_known_passwords) >= _REMEMBERED_MAX:
            _known_passwords.clear()
        _known_passwords[known] = now + _REMEMBERED_SECONDS
        return
    challenge = ("WWW-Authenticate", 'Basic realm="Share link", charset="UTF-8"')
    raise _Refusal(401, "PasswordRequired", "This link needs its password; any user name will do.", challenge)


def _basic_password(header: str) -> str | None:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeError):
        return None
    return password if len(password) <= PASSWORD_LENGTH_MAX else None


def _failures_key(link: ShareLink) -> str:
    return f"share-password:{link.pk}"


def _may_try(link: ShareLink) -> bool:
    """Count a password before it is looked at, so that many at the same moment are no more than many in a row."""
    try:
        cache.add(_failures_key(link), 0, FAILURE_WINDOW_SECONDS)
        return int(cache.incr(_failures_key(link))) <= FAILURES_MAX
    except Exception:  # noqa: BLE001  the cache's server may be away; the slow hash is left as a brake
        logger.warning("the cache does not answer: wrong passwords of share links are not counted")
        return True


def _take_back(link: ShareLink) -> None:
    """Count a password no more that was right."""
    try:
        cache.decr(_failures_key(link))
    except Exception:  # noqa: BLE001  the cache is away, or the minute over
        logger.info("a right password of a share link was not taken back: the cache has none")


def _download(link: ShareLink, key: str, visit: _Visit) -> WireResponse:
    """Send an object as a file to save, after it was counted."""
    shared = open_shared(link, key, visit.facts)
    if shared is None:
        raise _no_such_link()
    visit.draft.note("s3:GetObject", key, shared.decision)
    if not shared.decision.is_allowed:
        raise _Refusal(403, "AccessDenied", "Who made this link may not read the object any more.")
    version = shared.version
    if version is None:
        raise _Refusal(404, "NoSuchKey", "The object is not there any more.")
    visit.draft.object_bytes = version.size_bytes
    require_unarchived(version)
    data_key = unwrap(version.encryption)
    part = parse_range(visit.headers.get("range"), version.size_bytes)
    headers = [*_HEADERS, *_file_headers(version, part)]
    if visit.environ["REQUEST_METHOD"] == "HEAD":
        return WireResponse(200 if part is None else 206, headers, b"")
    if not count_download(link_id=link.pk):
        raise _Refusal(410, "LinkEnded", "This link has just ended.")
    start, length = (0, version.size_bytes) if part is None else (part.start, part.length)
    pieces: Iterable[bytes] = iterate_version(version, start, length, data_key=data_key) if length else ()
    return WireResponse(200 if part is None else 206, headers, pieces)


def _file_headers(version: VersionRecord, part: ByteRange | None) -> list[tuple[str, str]]:
    name = version.key.rstrip("/").rpartition("/")[2] or "download"
    name = "".join(character if character.isprintable() else "_" for character in name)
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Disposition", content_disposition_header(as_attachment=True, filename=name) or "attachment"),
        ("Content-Length", str(version.size_bytes if part is None else part.length)),
        ("Accept-Ranges", "bytes"),
        ("ETag", f'"{version.etag}"'),
    ]
    return headers if part is None else [*headers, ("Content-Range", part.content_range)]


def _listing(link: ShareLink, prefix: str, visit: _Visit) -> WireResponse:
    """Show what is below a prefix; entries lead on below the link. The maker must be allowed to list the bucket."""
    visit.draft.operation = "share:list"
    _require_listing(link, prefix, visit)
    after = parse_qs(visit.environ.get("QUERY_STRING", "")).get("after", [""])[0]
    if "\0" in after:
        raise _no_such_link()
    rows, has_more = list_shared(link, prefix, prefix + after if after else "")
    root = f"{PREFIX}{visit.token}/"
    items = []
    for row in rows:
        name = row.name.removeprefix(prefix)
        href = root + quote(row.name.removeprefix(link.key), safe="/")
        items.append(f'<li><a href="{escape(href)}" rel="noreferrer">{escape(name)}</a></li>')
    more = ""
    if has_more:
        more = f'<p><a href="?after={escape(quote(rows[-1].name.removeprefix(prefix), safe=""))}">More</a></p>'
    title = prefix.removeprefix(link.key) or link.label or "Shared files"
    return _page(200, title, f"<ul>{''.join(items)}</ul>{more}")


def _require_listing(link: ShareLink, prefix: str, visit: _Visit) -> None:
    """Decide whether who made a link may list below a prefix. Raises a refusal."""
    decision = decide_listing(link, prefix, visit.facts)
    if decision is None:
        raise _no_such_link()
    visit.draft.note("s3:ListBucket", None, decision)
    if not decision.is_allowed:
        raise _Refusal(403, "AccessDenied", "Who made this link may not list the files any more.")


def _page(status: int, title: str, body: str, *headers: tuple[str, str]) -> WireResponse:
    document = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width"><style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;'
        "max-width:44rem;padding:0 1rem;color-scheme:light dark}li{overflow-wrap:anywhere}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    ).encode()
    about = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(document)))]
    return WireResponse(status, [*_HEADERS, *about, *headers], document)
