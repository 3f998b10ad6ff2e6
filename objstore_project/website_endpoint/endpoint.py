"""Serve a bucket as a website: GET and HEAD by anybody, of what policies and access control lists make public, and no more.

A path is a key; one that looks like a folder is its index document. Redirections come from the configuration (all requests,
rules) and from objects (x-amz-website-redirect-location). What goes wrong is a page: the website's own, or one of ours.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import InterfaceError, OperationalError

from accesscontrol.principal import ANONYMOUS
from accesscontrol.request_facts import RequestFacts
from audit.draft import AuditDraft, begin
from buckets.context import RequestContext
from buckets.selectors import BucketRecord, find_bucket, find_configuration
from buckets.website import KIND, AskedFor, RedirectTarget, Website, location, quoted_path, read_website
from objects.selectors.lookup import look_up
from objstore_project.logging import request_id as logging_request_id
from objstore_project.s3_endpoint.address import Address, read_address
from objstore_project.s3_endpoint.audit_trail import new_draft, note_failure, record
from objstore_project.s3_endpoint.body import drain
from objstore_project.s3_endpoint.cross_origin import answer_preflight, headers_for_origin
from objstore_project.s3_endpoint.endpoint import HOST_ID
from objstore_project.s3_endpoint.failures import as_s3_error
from objstore_project.s3_endpoint.rates import keep_rates
from objstore_project.s3_endpoint.response import success_response
from objstore_project.website_endpoint.pages import error_headers, error_page, redirect_page
from s3protocol import errors
from s3protocol.codec import WireResponse, codec_for
from s3protocol.registry import REGISTRY

ADDRESS_SAFE = "/-._~!$&'()*+,;=:@?#[]%"
OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject"}

# What a browser may ask for beside the document.
_TAKEN_HEADERS = ("range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since")


def serve(environ: Mapping[str, Any]) -> WireResponse:
    """Answer a request, whatever happens."""
    request_id = f"{random.getrandbits(64):016X}"
    logging_request_id.set(request_id)
    draft = new_draft(environ, request_id)
    draft.source = "website"
    draft.operation, draft.action = OPERATIONS.get(environ["REQUEST_METHOD"], ""), "s3:GetObject"
    draft.name_principal(ANONYMOUS)
    begin(draft)
    visit = _Visit(environ, request_id, draft)
    error_code = ""
    try:
        response = visit.answer()
    except Exception as failure:  # noqa: BLE001  the last resort: a browser gets a page, the log gets the rest
        error = as_s3_error(failure, request_id)
        response = WireResponse(error.status, list(error.headers.items()), b"")
        if error.status >= 400:
            response = error_page(error, request_id=request_id, host_id=HOST_ID)
        visit.error = error
        drain(environ)
    if visit.error is not None:
        error_code = visit.error.code
        note_failure(draft, visit.error, visit.facts)
    response = success_response(response, is_head=environ["REQUEST_METHOD"] == "HEAD")
    response.headers.extend(visit.headers_for_origin())
    response.headers.extend((("x-amz-request-id", request_id), ("x-amz-id-2", HOST_ID)))
    return record(draft, response, error_code)


class _Visit:
    """One request on its way."""

    def __init__(self, environ: Mapping[str, Any], request_id: str, draft: AuditDraft) -> None:
        self._environ = environ
        self._request_id = request_id
        self._draft = draft
        self._address: Address | None = None
        self.facts: RequestFacts | None = None
        self.error: errors.S3Error | None = None

    def answer(self) -> WireResponse:
        """Answer with a document, a redirection or a page that says what is wrong."""
        address = self._address = read_address(self._environ, settings.OBJSTORE_WEBSITE_DOMAINS)
        self._draft.bucket, self._draft.key = address.bucket, address.key
        if address.method == "OPTIONS" and "origin" in address.headers:
            return answer_preflight(address)
        if address.method not in OPERATIONS:
            raise errors.MethodNotAllowed
        bucket = find_bucket(address.bucket or "")
        if bucket is None:
            raise errors.NoSuchBucket(BucketName=address.bucket or "")
        self._draft.owner_id = bucket.owner_id
        keep_rates(self._draft, bucket)
        document = find_configuration(bucket.id, KIND)
        if document is None:
            raise errors.NoSuchWebsiteConfiguration(BucketName=bucket.name)
        self.facts = RequestFacts(
            headers=address.headers,
            query=address.query,
            source_ip=self._environ.get("REMOTE_ADDR", ""),
            is_secure=self._environ["wsgi.url_scheme"] == "https",
            now=datetime.now(UTC),
            region=settings.OBJSTORE_REGION,
        )
        return self._answer_of(read_website(document), bucket, address)

    def headers_for_origin(self) -> list[tuple[str, str]]:
        """Return the headers that let a page of another origin see the answer, as the bucket's rules say."""
        address = self._address
        if address is None or "origin" not in address.headers or address.method == "OPTIONS":
            return []
        try:
            return headers_for_origin(address)
        except (OperationalError, InterfaceError):
            return []  # the answer says already that the database is away, or came before it went

    def _answer_of(self, website: Website, bucket: BucketRecord, address: Address) -> WireResponse:
        key = address.key or ""
        if website.redirect_all is not None:
            return self._redirect(website.redirect_all, address)
        if (rule := website.rule_for(key)) is not None:
            return self._redirect(rule.target, address, prefix=rule.prefix)
        try:
            return self._document(bucket, website.document_key(key), address)
        except errors.S3Error as error:
            if error.status < 400:
                raise
            self.error = error
        if self._is_folder(bucket, website, key):
            self.error = None
            return redirect_page(302, quoted_path(f"{key}/"))
        if (rule := website.rule_for(key, self.error.status)) is not None:
            return self._redirect(rule.target, address, prefix=rule.prefix)
        return self._error_document(bucket, website, address, self.error)

    def _redirect(self, target: RedirectTarget, address: Address, *, prefix: str | None = None) -> WireResponse:
        asked = AskedFor(
            self._environ["wsgi.url_scheme"], address.headers.get("host", ""), address.key or "", address.raw_query
        )
        return redirect_page(target.status, location(target, asked, prefix=prefix))

    def _document(self, bucket: BucketRecord, key: str, address: Address, *, is_error: bool = False) -> WireResponse:
        """Answer with an object, or send the browser where the object says."""
        context = self._authorized(bucket, key)
        version = context.version
        redirect = None if version is None or is_error else version.headers.get("WebsiteRedirectLocation")
        if redirect is not None:
            return redirect_page(301, quote(redirect, safe=ADDRESS_SAFE))
        self._draft.object_bytes = None if version is None else version.size_bytes
        operation = REGISTRY[OPERATIONS[address.method]]
        codec = codec_for(operation.name)
        headers = {name: address.headers[name] for name in _TAKEN_HEADERS if name in address.headers and not is_error}
        arguments = codec.parse(bucket=bucket.name, key=key, query={}, headers=headers, body=b"")
        return codec.serialize(operation.function(context, **arguments))

    def _authorized(self, bucket: BucketRecord, key: str) -> RequestContext:
        """Look a key up and find out whether everybody may read it. Raises AccessDenied, NoSuchKey, NoSuchBucket."""
        found = look_up(bucket.name, key)
        if found is None:
            raise errors.NoSuchBucket(BucketName=bucket.name)
        assert self.facts is not None
        context = RequestContext(
            ANONYMOUS, settings.OBJSTORE_REGION, found.bucket, key, found.version, facts=self.facts, audit=self._draft
        )
        context.authorize_object("s3:GetObject", key=key, version=found.version)
        context.require_payer(found.bucket)
        if found.version is None or found.version.is_delete_marker:
            raise errors.NoSuchKey(Key=key)
        return context

    def _is_folder(self, bucket: BucketRecord, website: Website, key: str) -> bool:
        """Say whether a key is not there, but an index document below it is, for everybody to read."""
        if not key or key.endswith("/"):
            return False
        found = look_up(bucket.name, key)
        if found is None or (found.version is not None and not found.version.is_delete_marker):
            return False
        try:
            self._authorized(bucket, website.document_key(f"{key}/"))
        except errors.S3Error:
            return False
        return True

    def _error_document(
        self, bucket: BucketRecord, website: Website, address: Address, error: errors.S3Error
    ) -> WireResponse:
        """Answer with the website's page for errors, under the status of the error."""
        nested = None
        if website.error_key is not None and error.status < 500:
            try:
                page = self._document(bucket, website.error_key, address, is_error=True)
                return replace(page, status=error.status, headers=[*page.headers, *error_headers(error)])
            except errors.S3Error as failure:
                nested = failure
        return error_page(error, request_id=self._request_id, host_id=HOST_ID, nested=nested)
