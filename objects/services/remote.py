"""A bucket of another store, over S3: what replication asks of it. Bodies stream; addresses are judged (`outbound`)."""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

from accesscontrol.outbound import OutboundRefused, open_connection
from buckets.models import RemoteStore
from buckets.services import remote_secret_key
from objects.replica import HEADER, ReplicaClaim
from objects.selectors.lookup import VersionRecord
from s3protocol.presign import SigningCredentials, encode_path, encode_query, sign_request_v4
from s3protocol.timestamps import format_iso8601
from s3protocol.xmltext import escape_text

TIMEOUT_SECONDS = 60.0
ANSWER_BYTES_MAX = 1 << 16

_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}


class RemoteRefused(Exception):
    """The other store did not do it, or can't be reached."""


class RemoteBucket:
    """A bucket of a registered store."""

    def __init__(self, store: RemoteStore, bucket_name: str) -> None:
        self._store = store
        self._bucket_name = bucket_name
        self._credentials = SigningCredentials(store.access_key_id, remote_secret_key(store), region=store.region)

    def has_version(self, key: str, version_id: str) -> bool:
        """Say whether a version or delete marker is there under its id."""
        status = self._send("HEAD", key, query=[("versionId", version_id)])
        return status in (HTTPStatus.OK, HTTPStatus.METHOD_NOT_ALLOWED)

    def put_version(
        self, source: VersionRecord, claim: ReplicaClaim, body: Iterable[bytes], headers: Mapping[str, str]
    ) -> None:
        """Store a version with all that it has; `headers` are those that the rule asks for."""
        sent = {
            HEADER: claim.header(),
            "content-length": str(source.size_bytes),
            **({"content-type": source.content_type} if source.content_type else {}),
            **{_HEADERS[name]: value for name, value in source.headers.items() if name in _HEADERS},
            **{f"x-amz-meta-{name}": value for name, value in source.metadata.items()},
            **({"x-amz-tagging": urlencode(source.tags)} if source.tags else {}),
            **_lock_headers(source),
            **headers,
        }
        if source.checksum and source.checksum_type == "FULL_OBJECT":
            sent[f"x-amz-checksum-{source.checksum_algorithm.lower()}"] = source.checksum
        self._require(self._send("PUT", source.key, headers=sent, body=body), source.key)

    def put_marker(self, key: str, claim: ReplicaClaim) -> None:
        """Make a delete marker."""
        self._require(self._send("DELETE", key, headers={HEADER: claim.header()}), key)

    def put_tags(self, key: str, version_id: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of a version; one that is not there has none."""
        inner = "".join(
            f"<Tag><Key>{escape_text(name)}</Key><Value>{escape_text(value)}</Value></Tag>"
            for name, value in sorted(tags.items())
        )
        document = f"<Tagging><TagSet>{inner}</TagSet></Tagging>".encode()
        status = self._send(
            "PUT",
            key,
            query=[("tagging", ""), ("versionId", version_id)],
            headers={"content-length": str(len(document))},
            body=[document],
        )
        if status != HTTPStatus.NOT_FOUND:
            self._require(status, key)

    def _require(self, status: int, key: str) -> None:
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise RemoteRefused(f"{self._store.name} answered {status} {self._code} for {key}")

    def _send(
        self,
        method: str,
        key: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] = (),
    ) -> int:
        """Send a request; return the status, and remember the code of an error."""
        path = f"/{self._bucket_name}/{key}"
        query = list(query)
        wire = {name: value.encode().decode("latin-1") for name, value in (headers or {}).items()}
        signed = sign_request_v4(
            self._credentials,
            method=method,
            endpoint=self._store.url,
            path=path,
            query=query,
            headers=wire,
            payload=None,
            now=datetime.now(UTC),
        )
        target = encode_path(path) + (f"?{encode_query(query)}" if query else "")
        self._code = ""
        try:
            connection = open_connection(self._store.url, timeout_seconds=TIMEOUT_SECONDS)
            try:
                has_body = "content-length" in signed
                connection.request(method, target, body=iter(body) if has_body else None, headers=signed)
                answer = connection.getresponse()
                document = answer.read(ANSWER_BYTES_MAX)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, OutboundRefused) as failure:
            raise RemoteRefused(f"{self._store.name} can't be reached: {failure}") from failure
        if answer.status >= HTTPStatus.BAD_REQUEST and document:
            self._code = _error_code(document)
        return answer.status

    _code = ""


def _lock_headers(source: VersionRecord) -> dict[str, str]:
    headers = {}
    if source.retain_until is not None:
        headers["x-amz-object-lock-mode"] = source.lock_mode
        headers["x-amz-object-lock-retain-until-date"] = format_iso8601(source.retain_until)
    if source.legal_hold is not None:
        headers["x-amz-object-lock-legal-hold"] = "ON" if source.legal_hold else "OFF"
    return headers


def _error_code(document: bytes) -> str:
    if b"<!DOCTYPE" in document:
        return ""
    try:
        return ET.fromstring(document).findtext("Code") or ""  # noqa: S314  no document type, and bounded
    except ET.ParseError:
        return ""
