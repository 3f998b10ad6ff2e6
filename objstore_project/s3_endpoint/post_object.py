"""PostObject, the upload from a browser's form: a PutObject whose headers, key and signature are fields.

A form is read up to its file, proven by its signed policy (or anonymous), and turned into the PutObject that it means;
from there it goes the way of every PutObject, permission included. Then it is answered as the form asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from accesscontrol.authentication import Authenticated, require_credentials
from accesscontrol.principal import ANONYMOUS
from buckets.tags import OBJECT_TAG_COUNT_MAX, tags_from_document
from objects.attributes import checked_key
from objstore_project.s3_endpoint.address import Address
from objstore_project.s3_endpoint.body import PIECE_SIZE_BYTES
from s3protocol import errors
from s3protocol.codec import WireResponse, codec_for
from s3protocol.post_form import FormReader, base_name, parse_form
from s3protocol.post_policy import PostPolicy, check_policy, parse_policy
from s3protocol.routes import Level
from s3protocol.signatures import PayloadDeclaration, PayloadMode
from s3protocol.signatures.post import read_post_signature, verify_post_signature
from s3protocol.xmltext import escape_text

# Fields that are headers of the PutObject; those of the signature and of the answer are not.
_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
        "expires",
    }
)
_RENAMED = {"acl": "x-amz-acl"}
_NO_HEADERS = frozenset(
    {
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-signature",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "x-amz-decoded-content-length",
        "x-amz-trailer",
        "x-amz-copy-source",
    }
)
# Headers of the request itself that its answer or a policy's conditions ask for.
_KEPT = ("host", "origin", "referer", "user-agent")
_STATUSES = frozenset({"200", "201", "204"})


@dataclass(slots=True)
class PostedForm:
    """A form up to its file, proven, and the PutObject that it means."""

    fields: Mapping[str, str]
    authenticated: Authenticated
    put: Address
    file: FileStream


class FileStream:
    """The form's file as a stream, held to the size that the policy allows."""

    def __init__(self, reader: FormReader, policy: PostPolicy | None) -> None:
        self._pieces = reader.file_pieces()
        self._policy = policy
        self._size_bytes = 0

    def read(self, _size_bytes: int) -> bytes:
        """Return the next piece, nothing at the end. Raises EntityTooLarge, EntityTooSmall."""
        piece = next(self._pieces, b"")
        self._size_bytes += len(piece)
        if self._policy is not None:
            self._check_size(self._policy, is_whole=not piece)
        return piece

    def _check_size(self, policy: PostPolicy, *, is_whole: bool) -> None:
        lowest, highest = policy.size_bytes_min, policy.size_bytes_max
        if highest is not None and self._size_bytes > highest:
            raise errors.EntityTooLarge(ProposedSize=str(self._size_bytes), MaxSizeAllowed=str(highest))
        if is_whole and self._size_bytes < lowest:
            raise errors.EntityTooSmall(ProposedSize=str(self._size_bytes), MinSizeAllowed=str(lowest))


def read_form(stream: Any, address: Address, *, now: datetime, region: str) -> PostedForm:
    """Read a form up to its file and verify who sends it and that its policy allows it.

    Raises PreconditionFailed for another kind of body, MalformedPOSTRequest, MaxPostPreDataLengthExceededError,
    InvalidArgument, InvalidPolicyDocument, InvalidAccessKeyId, SignatureDoesNotMatch, AccessDenied,
    UserKeyMustBeSpecified.
    """
    reader = parse_form(_pieces(stream), address.headers.get("content-type", ""))
    fields = dict(reader.fields)
    if not fields.get("key"):
        raise errors.UserKeyMustBeSpecified
    fields["key"] = fields["key"].replace("${filename}", base_name(reader.file_name))
    authenticated, policy = _prove(reader.fields | {"bucket": address.bucket or ""}, fields["key"], now, region)
    put = _as_put(address, fields)
    return PostedForm(fields, authenticated, put, FileStream(reader, policy))


def _pieces(stream: Any) -> Iterator[bytes]:
    while True:
        try:
            piece = stream.read(PIECE_SIZE_BYTES)
        except TimeoutError:
            raise errors.RequestTimeout from None
        except OSError:
            raise errors.IncompleteBody from None
        if not piece:
            return
        yield piece


def _prove(fields: Mapping[str, str], key: str, now: datetime, region: str) -> tuple[Authenticated, PostPolicy | None]:
    """Find out who signed the form and hold it to its policy. Without either it is anonymous."""
    payload = PayloadDeclaration(PayloadMode.UNSIGNED)
    presented = read_post_signature(fields, region=region)
    if presented is None:
        return Authenticated(ANONYMOUS, payload, None), None
    credentials = require_credentials(presented.access_key_id, presented.session_token, now=now)
    verify_post_signature(presented, secret_key=credentials.secret_key)
    policy = parse_policy(presented.policy)
    check_policy(policy, {**fields, "key": key}, now=now)
    return Authenticated(credentials.principal, payload, None, form_algorithm=presented.algorithm), policy


def _as_put(address: Address, fields: Mapping[str, str]) -> Address:
    """Return the address and the headers of the PutObject."""
    key = fields["key"]
    if "\0" in key:
        raise errors.InvalidURI("The key holds a NUL character, which no key can.")
    headers = {
        _RENAMED.get(name, name): _header_text(value)
        for name, value in fields.items()
        if name in _HEADERS or name in _RENAMED or (name.startswith("x-amz-") and name not in _NO_HEADERS)
    }
    if fields.get("tagging"):
        headers["x-amz-tagging"] = _tagging_header(fields["tagging"])
    return replace(
        address,
        method="PUT",
        level=Level.OBJECT,
        key=checked_key(key),
        query={},
        headers={name: address.headers[name] for name in _KEPT if name in address.headers} | headers,
    )


def _header_text(value: str) -> str:
    """Return a field as a header would hold it, in one line; letters beyond ASCII are told as RFC 2047 says."""
    if any(character in value for character in "\r\n\0"):
        raise errors.InvalidArgument("A form's field that is a header holds a line break.", ArgumentValue=value)
    return value.strip()


def _tagging_header(document: str) -> str:
    """Turn the tagging field, a document in XML, into the header of a PutObject."""
    codec = codec_for("PutObjectTagging")
    tagging = codec.parse(bucket="", key="", query={}, headers={}, body=document.encode())["tagging"]
    return urlencode(tags_from_document(tagging, count_max=OBJECT_TAG_COUNT_MAX))


def status_of_form(form: PostedForm) -> int:
    """Return the status of the answer that a form asks for: that of a redirect, or one of its own; else it has no content."""
    if _redirect(form):
        return 303
    status = form.fields.get("success_action_status", "")
    return int(status) if status in _STATUSES else 204


def _redirect(form: PostedForm) -> str | None:
    redirect = form.fields.get("success_action_redirect") or form.fields.get("redirect")
    return redirect if redirect and _is_web_address(redirect) else None


def answer_form(form: PostedForm, stored: WireResponse, *, scheme: str) -> WireResponse:
    """Answer as the form asks: by a redirect, by a document, or by nothing (204)."""
    address, bucket, key = form.put, form.put.bucket or "", form.put.key or ""
    etag, status = dict(stored.headers)["ETag"], status_of_form(form)
    if redirect := _redirect(form):
        told = urlencode({"bucket": bucket, "key": key, "etag": etag})
        location = f"{redirect}{'&' if urlsplit(redirect).query else '?'}{told}"
        return WireResponse(status, [*stored.headers, ("Location", location)], b"")
    path = quote(key if address.virtual_host_bucket else f"{bucket}/{key}")
    location = f"{scheme}://{address.headers.get('host', '')}/{path}"
    headers = [*stored.headers, ("Location", location)]
    if status != 201:
        return WireResponse(status, headers, b"")
    members = {"Location": location, "Bucket": bucket, "Key": key, "ETag": etag}
    inner = "".join(f"<{name}>{escape_text(text)}</{name}>" for name, text in members.items())
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inner}</PostResponse>'
    return WireResponse(201, [*headers, ("Content-Type", "application/xml")], document.encode())


def _is_web_address(text: str) -> bool:
    """Say whether a browser can be sent there; what is not an address is ignored, as S3 does."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
