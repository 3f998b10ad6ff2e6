"""What the endpoint tells the audit log: who asks for what, and how each request ended, when its last byte is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from accesscontrol.request_facts import RequestFacts, telling_facts
from audit.draft import AuditDraft
from audit.services.batches import is_wanted, leave
from audit.services.rows import change
from s3protocol.codec import WireResponse, codec_for
from s3protocol.errors import S3Error
from s3protocol.registry import Operation
from s3protocol.signatures import read_signature

PUBLISHING = frozenset(
    {
        "CompleteMultipartUpload",
        "CopyObject",
        "DeleteObject",
        "DeleteObjects",
        "RenameObject",
        "UploadPartCopy",
    }
)
"""What moves bytes or takes many keys, beside operations with streams: their rows come with the statements that publish
(`objects.services.publish`), since no transaction may span the whole of them."""

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def new_draft(environ: Mapping[str, Any], request_id: str) -> AuditDraft:
    """Begin the draft of a request's row."""
    length = environ.get("CONTENT_LENGTH") or ""
    return AuditDraft(
        request_id=request_id,
        source="s3",
        source_ip=environ.get("REMOTE_ADDR", ""),
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"],
        query=environ.get("QUERY_STRING", ""),
        host=environ.get("HTTP_HOST", ""),
        referer=environ.get("HTTP_REFERER", ""),
        is_secure=environ["wsgi.url_scheme"] == "https",
        bytes_in=int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else 0,
    )


def claimed_access_key(headers: Mapping[str, str], raw_query: str, region: str) -> str | None:
    """Return the access key that a request names, whose signature was found wrong; None where it can't be read."""
    try:
        presented = read_signature(headers, raw_query, region=region)
    except S3Error:
        return None
    return None if presented is None else presented.access_key_id


def change_by(operation: Operation, draft: AuditDraft) -> AbstractContextManager[None]:
    """Return what makes the handler's change and its audit row one transaction, where the handler does not do that."""
    if draft.method in READING_METHODS or operation.name in PUBLISHING or codec_for(operation.name).has_streaming_input:
        return nullcontext()
    return change(draft)


def note_failure(draft: AuditDraft, error: S3Error, facts: RequestFacts | None) -> None:
    """Say why a request was refused, with what a later question about the refusal needs to know."""
    draft.error_reason = error.message
    if error.status == 403 and facts is not None:
        draft.facts = telling_facts(facts)


def record(draft: AuditDraft, response: WireResponse, error_code: str) -> WireResponse:
    """Write down how the request ended, once the answer is sent; return the answer to send."""
    body = response.body
    draft.status, draft.error_code = response.status, error_code
    if isinstance(body, bytes):
        draft.finish(status=response.status, error_code=error_code, bytes_out=len(body))
        leave(draft)
        return response
    if not is_wanted(draft) and draft.when_finished is None:
        return response
    return WireResponse(response.status, response.headers, _CountedStream(body, draft))


class _CountedStream:
    """A stream that counts what is sent, and leaves the draft when the server is done with it, sent or cut off."""

    def __init__(self, source: Iterable[bytes], draft: AuditDraft) -> None:
        self._source = source
        self._draft: AuditDraft | None = draft
        self._sent_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._source:
            self._sent_bytes += len(piece)
            yield piece
        self._finish()

    def close(self) -> None:
        """Close the source; the server calls this at the end, or when the client is gone."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()
        self._finish()

    def _finish(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None:
            draft.finish(status=draft.status, error_code=draft.error_code, bytes_out=self._sent_bytes)
            leave(draft)
