"""Serve one S3 request: address → route → authenticate → find → authorize → parse → handle → serialize → audit.

Every path to data goes through `authorize`, and what is not known to be allowed is refused. A handler's S3 error is
rendered here, once; what is no S3 error is ours: logged once with the request id, and told as InternalError.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from accesscontrol.authentication import Authenticated, authenticate
from accesscontrol.request_facts import RequestFacts
from accesscontrol.services.access_keys import note_use
from audit.draft import AuditDraft, begin
from buckets.context import RequestContext
from buckets.selectors import find_bucket
from events.cause import Cause, current_cause
from objects.selectors.as_of import look_up_as_of
from objects.selectors.lookup import LookUp, look_up
from objstore_project.logging import request_id as logging_request_id
from objstore_project.query_endpoint import is_query_request
from objstore_project.query_endpoint import serve as serve_query
from objstore_project.s3_endpoint.address import Address, read_address
from objstore_project.s3_endpoint.as_of import is_asked, read_moment, require_within_history
from objstore_project.s3_endpoint.audit_trail import change_by, claimed_access_key, new_draft, note_failure, record
from objstore_project.s3_endpoint.authorization import authorize_operation
from objstore_project.s3_endpoint.body import RequestBody, drain, is_expectation_left
from objstore_project.s3_endpoint.control import read_query_lists, require_bucket
from objstore_project.s3_endpoint.cross_origin import answer_preflight, headers_for_origin
from objstore_project.s3_endpoint.failures import as_s3_error
from objstore_project.s3_endpoint.hoisted import with_hoisted_headers
from objstore_project.s3_endpoint.lost_values import refuse_lost_signed_values, refuse_lost_values
from objstore_project.s3_endpoint.post_object import answer_form, read_form, status_of_form
from objstore_project.s3_endpoint.rates import keep_rates
from objstore_project.s3_endpoint.response import error_response, success_response
from objstore_project.s3_endpoint.undelete import UNDELETE, answer_undelete
from s3protocol import errors
from s3protocol.codec import WireResponse, codec_for
from s3protocol.registry import REGISTRY, Decided, Operation, unsupported_members
from s3protocol.routes import POST_OBJECT, PREFLIGHT_REQUEST, Level, resolve

logger = logging.getLogger("objstore.s3")

HOST_ID = secrets.token_urlsafe(24)
"""Names this process in answers (x-amz-id-2), as S3's names the machine."""

_BODILESS_METHODS = frozenset({"GET", "HEAD"})
_BODY_HEADERS = frozenset({"content-length", "transfer-encoding"})


def serve(environ: Mapping[str, Any]) -> WireResponse:
    """Answer a request, whatever happens. Requests to IAM and STS, at the same address, are answered beside."""
    request_id = f"{random.getrandbits(64):016X}"
    logging_request_id.set(request_id)
    if is_query_request(environ):
        return serve_query(environ, request_id)
    is_head = environ["REQUEST_METHOD"] == "HEAD"
    draft = new_draft(environ, request_id)
    begin(draft)
    exchange = _Exchange(environ, draft)
    was_refused, error_code = False, ""
    try:
        response = success_response(exchange.answer(), is_head=is_head)
    except Exception as failure:  # noqa: BLE001  the last resort: a client gets an S3 error, the log gets the rest
        error = as_s3_error(failure, request_id)
        error_code = error.code
        note_failure(draft, error, exchange.facts)
        response = error_response(
            error,
            resource=exchange.resource,
            request_id=request_id,
            host_id=HOST_ID,
            is_head=is_head,
            is_control=exchange.is_control,
        )
        drain(environ)
        was_refused = True
    exchange.tell_other_origin(response)
    if is_expectation_left(environ, was_refused=was_refused):
        response.headers.append(("Connection", "close"))
    response.headers.append(("x-amz-request-id", request_id))
    response.headers.append(("x-amz-id-2", HOST_ID))
    return record(draft, response, error_code)


class _Exchange:
    """One request on its way through the steps."""

    def __init__(self, environ: Mapping[str, Any], draft: AuditDraft) -> None:
        self.environ = environ
        self.draft = draft
        self.facts: RequestFacts | None = None
        self.resource = environ["PATH_INFO"]
        self.body: RequestBody | None = None
        self.address: Address | None = None
        self.now = datetime.now(UTC)
        self.region: str = settings.OBJSTORE_REGION

    @property
    def is_control(self) -> bool:
        """Say whether it is one to S3 Control, which has errors of another form, and no pages of other origins."""
        return self.address is not None and self.address.level in (Level.RESOURCE, Level.ACCOUNT)

    def answer(self) -> WireResponse:
        """Take the steps."""
        sent = read_address(self.environ, settings.OBJSTORE_DOMAINS)
        address = self.address = with_hoisted_headers(sent)
        self.resource = address.path
        self.draft.bucket, self.draft.key = address.bucket, address.key
        self.draft.version_id = address.query.get("versionId")
        if address.level is Level.RESOURCE:
            require_bucket(address.path)
        elif UNDELETE in address.query:
            return self._answer_undelete(sent)
        operation_name = resolve(address.method, address.level, address.query, address.headers)
        self.draft.operation = operation_name
        if operation_name == PREFLIGHT_REQUEST:
            return answer_preflight(address)
        authenticated = self._authenticate(sent)
        note_use(authenticated.principal, service="s3", region=settings.OBJSTORE_REGION)
        if operation_name == POST_OBJECT:
            return self._answer_form(address, authenticated)
        if address.method not in _BODILESS_METHODS or not _BODY_HEADERS.isdisjoint(address.headers):
            self.body = RequestBody(self.environ["wsgi.input"], address.headers, authenticated)
        operation = REGISTRY.get(operation_name)
        if operation is None:
            raise errors.NotImplemented
        return self._carry_out(operation, address, authenticated)

    def tell_other_origin(self, response: WireResponse) -> None:
        """Let the page that sent this request see the answer, good or bad, if the bucket's rules do."""
        if self.address is None or "origin" not in self.address.headers or self.address.method == "OPTIONS":
            return
        if self.is_control:
            return
        try:
            headers = headers_for_origin(self.address)
        except (OperationalError, InterfaceError):
            return  # the answer says already that the database is away, or came before it went
        response.headers.extend(headers)

    def _answer_form(self, address: Address, authenticated: Authenticated) -> WireResponse:
        """Serve a browser's form: the PutObject that it means, by whoever signed its policy."""
        if not authenticated.principal.is_anonymous:
            raise errors.InvalidRequest("A form is signed by its own fields, not by the request that carries it.")
        form = read_form(self.environ["wsgi.input"], address, now=self.now, region=self.region)
        self.draft.key, self.draft.status = form.put.key, status_of_form(form)
        self.draft.name_principal(form.authenticated.principal, "POST")
        self.body = RequestBody(form.file, form.put.headers, form.authenticated, is_delimited=True)
        stored = self._carry_out(REGISTRY["PutObject"], form.put, form.authenticated)
        return answer_form(form, stored, scheme=self.environ["wsgi.url_scheme"])

    def _answer_undelete(self, address: Address) -> WireResponse:
        """Serve an operation of ours that no model knows."""
        self.draft.operation, self.draft.action = "UndeleteObjects", "s3:PutObject"
        authenticated = self._authenticate(address)
        self.facts = self._facts(address, authenticated)
        current_cause.set(
            Cause(authenticated.principal, self.environ.get("REMOTE_ADDR", ""), self.draft.request_id, HOST_ID)
        )
        context = RequestContext(authenticated.principal, self.region, facts=self.facts, audit=self.draft)
        return answer_undelete(context, address, now=self.now)

    def _carry_out(self, operation: Operation, address: Address, authenticated: Authenticated) -> WireResponse:
        """Find what is addressed, authorize, parse, handle, serialize."""
        self.draft.action = operation.action
        current_cause.set(
            Cause(
                authenticated.principal,
                self.environ.get("REMOTE_ADDR", ""),
                self.draft.request_id,
                HOST_ID,
                is_form=address.method != self.environ["REQUEST_METHOD"],
            )
        )
        context = self._find(operation, address, authenticated)
        self.draft.owner_id = None if context.bucket_record is None else context.bucket_record.owner_id
        keep_rates(self.draft, context.bucket_record)
        self.draft.object_bytes = None if context.version is None else context.version.size_bytes
        if operation.decided != Decided.BY_BODY:
            authorize_operation(operation, address, context)
        arguments = self._parse(operation, address)
        if operation.decided == Decided.BY_BODY:
            authorize_operation(operation, address, context, arguments)
        context.body = self.body
        with change_by(operation, self.draft):
            result = operation.function(context, **arguments)
        answer = codec_for(operation.name).serialize(result)
        if context.bucket_record is not None and context.is_charged(context.bucket_record):
            answer.headers.append(("x-amz-request-charged", "requester"))
        return answer

    def _authenticate(self, address: Address) -> Authenticated:
        try:
            authenticated = authenticate(
                method=address.method,
                path=address.path,
                raw_query=address.raw_query,
                headers=address.headers,
                now=self.now,
                region=self.region,
                virtual_host_bucket=address.virtual_host_bucket,
            )
        except errors.S3Error as error:
            self.draft.access_key_id = claimed_access_key(address.headers, address.raw_query, self.region)
            if isinstance(error, errors.SignatureDoesNotMatch):
                refuse_lost_signed_values(address.headers)
            raise
        signature = authenticated.signature
        self.draft.name_principal(authenticated.principal, "" if signature is None else str(signature.kind))
        refuse_lost_values(address.headers, signature)
        return authenticated

    def _find(self, operation: Operation, address: Address, authenticated: Authenticated) -> RequestContext:
        """Look up what is addressed, in one statement. Raises NoSuchBucket."""
        self.facts = self._facts(address, authenticated)
        context = RequestContext(
            authenticated.principal, self.region, key=address.key, facts=self.facts, audit=self.draft
        )
        if is_asked(address):
            context.as_of = read_moment(address, operation.name, authenticated.signature, self.now)
        if address.bucket is None or operation.name == "CreateBucket":
            return context
        if operation.reads_object and address.key is not None:
            found = self._look_up(address.bucket, address.key, address.query.get("versionId"), context.as_of)
            if found is not None:
                context.bucket_record, context.version = found.bucket, found.version
        else:
            context.bucket_record = find_bucket(address.bucket)
        if context.bucket_record is None:
            raise errors.NoSuchBucket(BucketName=address.bucket)
        if context.as_of is not None:
            require_within_history(context.as_of, context.bucket_record, self.now)
        return context

    def _look_up(self, bucket_name: str, key: str, version_id: str | None, as_of: datetime | None) -> LookUp | None:
        if as_of is not None:
            return look_up_as_of(bucket_name, key, as_of, version_id)
        return look_up(bucket_name, key, version_id)

    def _facts(self, address: Address, authenticated: Authenticated) -> RequestFacts:
        """Gather what conditions of policies may ask."""
        return RequestFacts(
            headers=address.headers,
            query=address.query,
            source_ip=self.environ.get("REMOTE_ADDR", ""),
            is_secure=self.environ["wsgi.url_scheme"] == "https",
            now=self.now,
            region=self.region,
            signature=authenticated.signature,
            form_algorithm=authenticated.form_algorithm,
        )

    def _parse(self, operation: Operation, address: Address) -> dict[str, Any]:
        """Read the arguments. Raises NotImplemented for what the handler does not take."""
        codec = codec_for(operation.name)
        document = b""
        if codec.has_streaming_input:
            assert self.body is not None
            self.body.require_length()
        elif codec.needs_body:
            assert self.body is not None
            # Where the handler takes the checksum, it is one of the object and not of this document.
            document = self.body.read_document(is_checksummed="checksum_sha256" not in operation.parameters)
        arguments = codec.parse(
            bucket=address.bucket,
            key=address.key,
            query=address.query,
            headers=address.headers,
            body=document,
            query_lists=read_query_lists(address.raw_query) if codec.has_query_lists else None,
        )
        if arguments.keys() <= operation.parameters:
            return arguments
        unsupported = unsupported_members(operation, arguments)
        if unsupported:
            raise errors.NotImplemented(
                f"The request asks for something that is not implemented: {', '.join(unsupported)}."
            )
        return {name: value for name, value in arguments.items() if name in operation.parameters}
