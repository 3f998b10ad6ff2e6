"""Serve one request to IAM or STS: form → operation → authenticate → parse → authorize → handle → serialize → audit.

As with S3, every path to an answer goes through a decision, and what is not known to be allowed is refused. Which
requests are these: `POST /` with a form as its body, and `GET /?Action=…`, where the host names no bucket.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, InterfaceError, OperationalError

from accesscontrol.authentication import authenticate_query
from accesscontrol.policy import Decision
from accesscontrol.principal import ANONYMOUS
from accesscontrol.query_context import QueryContext, authorize_operation
from accesscontrol.request_facts import RequestFacts
from accesscontrol.services.access_keys import note_use
from accesscontrol.services.sessions import NO_ACCOUNT
from audit.draft import AuditDraft, begin
from audit.services.rows import change
from objstore_project.s3_endpoint.address import read_address
from objstore_project.s3_endpoint.audit_trail import new_draft, record
from objstore_project.s3_endpoint.rates import keep_rates
from s3protocol import errors as s3_errors
from s3protocol.codec import WireResponse
from s3protocol.query import FORM_BYTES_MAX, Service, codec_for, error_document, errors, operation_of, read_form
from s3protocol.query.registry import QUERY_REGISTRY, Permission, QueryOperation, unsupported_members
from s3protocol.routes import Level

logger = logging.getLogger("objstore.iam")

FORM_TYPE = "application/x-www-form-urlencoded"
# What changes no row: sessions are none.
_READING = ("Get", "List", "Simulate", "Generate", "Decode", "Assume")


def is_query_request(environ: Mapping[str, Any]) -> bool:
    """Say whether a request speaks the query protocol. Most are told apart by their path."""
    if environ["PATH_INFO"] != "/":
        return False
    if environ["REQUEST_METHOD"] == "POST":
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        return bool(kind == FORM_TYPE) and _is_own_host(environ)
    query = environ.get("QUERY_STRING", "")
    is_asking = environ["REQUEST_METHOD"] == "GET" and (query.startswith("Action=") or "&Action=" in query)
    return is_asking and _is_own_host(environ)


def _is_own_host(environ: Mapping[str, Any]) -> bool:
    try:
        return read_address(environ, settings.OBJSTORE_DOMAINS).level is Level.SERVICE
    except s3_errors.S3Error:
        return False


def serve(environ: Mapping[str, Any], request_id: str) -> WireResponse:
    """Answer a request, whatever happens."""
    draft = new_draft(environ, request_id)
    draft.query = ""  # a form may stand there, and hold passwords and tokens
    begin(draft)
    exchange = _Exchange(environ, draft)
    error_code = ""
    try:
        status, document = 200, exchange.answer(request_id)
    except Exception as failure:  # noqa: BLE001  the last resort: a client gets an error of its service, the log the rest
        error = _as_query_error(failure, request_id)
        error_code, draft.error_reason = error.code, error.message.partition(". Encoded authorization")[0]
        status, document = error.status, error_document(error, service=exchange.service, request_id=request_id)
    headers = [
        ("Content-Type", "text/xml"),
        ("Content-Length", str(len(document))),
        ("x-amzn-RequestId", request_id),
        ("Cache-Control", "no-store"),
    ]
    if not exchange.is_body_read:
        headers.append(("Connection", "close"))
    return record(draft, WireResponse(status, headers, document), error_code)


def _as_query_error(failure: Exception, request_id: str) -> errors.QueryError:
    """Say a failure in the services' words, and log what is ours."""
    if isinstance(failure, errors.QueryError):
        return failure
    if isinstance(failure, s3_errors.S3Error):
        return errors.of_s3(failure.code, failure.message)
    if isinstance(failure, OperationalError | InterfaceError):
        logger.warning("request %s: the database does not answer: %s", request_id, failure)
        return errors.ServiceUnavailable()
    if isinstance(failure, ObjectDoesNotExist):  # the rival deleted it a moment ago
        return errors.NoSuchEntity()
    if isinstance(failure, IntegrityError):  # the rival changed what this hangs on
        return errors.ConcurrentModification()
    logger.error("request %s failed", request_id, exc_info=failure)
    return errors.InternalFailure()


class _Exchange:
    """One request on its way through the steps."""

    def __init__(self, environ: Mapping[str, Any], draft: AuditDraft) -> None:
        self.environ = environ
        self.draft = draft
        self.service = Service.IAM
        self.is_body_read = False

    def answer(self, request_id: str) -> bytes:
        """Take the steps."""
        body = self._read_body()
        form = read_form(body if self.environ["REQUEST_METHOD"] == "POST" else self.environ["QUERY_STRING"])
        self.draft.source = self.service.value
        self.service, name = operation_of(form)
        self.draft.source, self.draft.operation = self.service.value, name
        operation = QUERY_REGISTRY.get(name)
        if operation is None:
            raise errors.NotImplemented(f"{name} is not implemented.")
        context = self._authenticate(operation, body)
        keep_rates(self.draft, None)
        codec = codec_for(self.service, name)
        arguments = codec.parse(form)
        unsupported = unsupported_members(operation, arguments)
        if unsupported:
            raise errors.NotImplemented(
                f"The request asks for something that is not implemented: {', '.join(unsupported)}."
            )
        authorize_operation(operation, context, arguments)
        taken = {member: value for member, value in arguments.items() if member in operation.parameters}
        with change(None if name.startswith(_READING) else self.draft):
            result = operation.function(context, **taken)
        return codec.serialize(result, request_id)

    def _read_body(self) -> bytes:
        """Read the form whole; one that is too large is not read on. Raises RequestEntityTooLarge."""
        declared = self.environ.get("CONTENT_LENGTH") or "0"
        if not declared.isdecimal() or int(declared) > FORM_BYTES_MAX:
            raise errors.RequestEntityTooLarge
        pieces, size_bytes = [], 0
        try:
            while piece := self.environ["wsgi.input"].read(FORM_BYTES_MAX + 1 - size_bytes):
                pieces.append(piece)
                size_bytes += len(piece)
                if size_bytes > FORM_BYTES_MAX:
                    raise errors.RequestEntityTooLarge
        except OSError:
            raise errors.MalformedQueryString from None
        self.is_body_read = True
        return b"".join(pieces)

    def _authenticate(self, operation: QueryOperation, body: bytes) -> QueryContext:
        address = read_address(self.environ, settings.OBJSTORE_DOMAINS)
        now = datetime.now(UTC)
        facts = RequestFacts(
            headers=address.headers,
            source_ip=self.environ.get("REMOTE_ADDR", ""),
            is_secure=self.environ["wsgi.url_scheme"] == "https",
            now=now,
            region=settings.OBJSTORE_REGION,
        )
        self.draft.action = operation.action
        if operation.permission is Permission.UNSIGNED:
            return QueryContext(ANONYMOUS, facts, self._note)
        authenticated = authenticate_query(
            service=operation.service.value,
            method=address.method,
            path=address.path,
            raw_query=address.raw_query,
            headers=address.headers,
            body=body,
            now=now,
            region=settings.OBJSTORE_REGION,
            is_secure=facts.is_secure,
        )
        signature = authenticated.signature
        self.draft.name_principal(authenticated.principal, "" if signature is None else str(signature.kind))
        if authenticated.principal.is_anonymous:
            raise errors.MissingAuthenticationToken
        note_use(authenticated.principal, service=operation.service.value, region=settings.OBJSTORE_REGION)
        return QueryContext(authenticated.principal, facts, self._note)

    def _note(self, action: str, key: str | None, decision: Decision) -> None:
        """Remember a decision, and whose business it is: what a trust policy says is that of the role's account."""
        self.draft.note(action, key, decision)
        if decision.owner_account_id not in (None, NO_ACCOUNT, self.draft.account_id):
            self.draft.owner_id = decision.owner_account_id
