"""What the console tells the audit log: every page and every change, with who asked for it.

A view's change and its row are one transaction. Views that publish objects one by one, or receive a stream, say so by
`audits_itself`: their rows come with the statements that publish.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from accesscontrol.models import User
from accesscontrol.policy import Decision
from audit.draft import AuditDraft, begin, current
from audit.services.batches import leave
from audit.services.rows import change
from buckets.errors import is_bucket_gone

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

_UNAUDITED = ("/-/", "/static/", "/metrics")
_SIGN_IN = frozenset({"console:sign-in", "console:sign-in-code"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def audits_itself(view: View) -> View:
    """Mark a view that no transaction may span."""
    view.audits_itself = True  # type: ignore[attr-defined]
    return view


def note_decision(action: str, key: str | None, decision: Decision) -> None:
    """Remember a decision about what the user wants, in the row of the request."""
    draft = current()
    if draft is not None:
        draft.note(action, key, decision)


def note_problem(code: str, reason: str) -> None:
    """Remember why the user did not get what was wanted, in the row of the request."""
    draft = current()
    if draft is not None:
        draft.error_code, draft.error_reason = code, reason


class AuditTrail:
    """Write a row for each request. It stands last of the middleware, next to the views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, and leave the row to be written unless the change has written it."""
        if request.path.startswith(_UNAUDITED):
            return self._get_response(request)
        draft = _new_draft(request)
        begin(draft)
        try:
            response = self._get_response(request)
        finally:
            begin(None)
        _note_answer(draft, request, response)
        sent = 0 if response.streaming else len(getattr(response, "content", b""))
        draft.finish(status=response.status_code, error_code=draft.error_code, bytes_out=sent)
        if response.status_code == 403 and not draft.error_reason:
            draft.error_reason = "refused"
        leave(draft)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], arguments: Any, named: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Call a view that changes something, in one transaction with its row."""
        draft = current()
        if draft is None:
            return None
        _name_user(draft, request)
        draft.bucket = named.get("bucket_name")
        if request.method in _SAFE_METHODS or getattr(view, "audits_itself", False):
            return None
        try:
            with change(draft):
                response = view(request, *arguments, **named)
                _note_answer(draft, request, response)
        except Exception as failure:
            _tell_rivals(failure)  # here, as some rivals are found by the commit
            raise
        return response

    def process_exception(self, request: HttpRequest, failure: Exception) -> None:  # noqa: ARG002  Django's contract
        """Say what a view met that was called by Django."""
        _tell_rivals(failure)


def _tell_rivals(failure: Exception) -> None:
    """Answer 404 for a bucket that was there when the view began. Raises Http404."""
    if is_bucket_gone(failure):
        raise Http404("The bucket has just been deleted.") from failure


def _new_draft(request: HttpRequest) -> AuditDraft:
    try:
        operation = resolve(request.path_info).view_name
    except Resolver404:
        operation = ""
    length = request.META.get("CONTENT_LENGTH") or ""
    return AuditDraft(
        request_id=secrets.token_hex(8).upper(),
        source="console",
        operation=operation,
        source_ip=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.META.get("HTTP_USER_AGENT", ""),
        method=request.method or "",
        path=request.path.encode().decode("latin-1"),
        query=request.META.get("QUERY_STRING", ""),
        host=request.META.get("HTTP_HOST", ""),
        referer=request.META.get("HTTP_REFERER", ""),
        is_secure=request.is_secure(),
        key=request.GET.get("key") or None,
        bytes_in=int(length) if length.isdecimal() and len(length) < 19 else 0,
        auth_type="SESSION",
    )


def _note_answer(draft: AuditDraft, request: HttpRequest, response: HttpResponseBase) -> None:
    """Say what became of it; a sign-in that leaves nobody signed in, and leads nowhere else, has failed."""
    draft.status = response.status_code
    _name_user(draft, request)
    is_asking_again = response.status_code in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS)
    if draft.operation in _SIGN_IN and draft.method == "POST" and not draft.principal and is_asking_again:
        draft.error_code, draft.error_reason = "SignInFailed", "the sign-in was not accepted"


def _name_user(draft: AuditDraft, request: HttpRequest) -> None:
    """Say who it is, where somebody is signed in (or was, until this request)."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        draft.account_id = user.account_id
        draft.principal = f"arn:aws:iam::{user.account_id}:" + (
            "root" if user.is_root else f"user{user.path}{user.name}"
        )
