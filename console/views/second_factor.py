"""The second step of signing in, and the page where a user sets a second factor up, or changes the password."""

from __future__ import annotations

import time

import segno
from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accesscontrol.models import User
from console.identities import call, told
from console.services import second_factor, sign_in_attempts
from s3protocol.query.errors import QueryError

PENDING_SECONDS = 300
_PENDING = "sign_in_pending"
_TOO_MANY = "Too many wrong codes. Wait a minute, then try again."
_TOO_MANY_ATTEMPTS = "Too many attempts. Wait a minute, then try again."
_WRONG = "This code is wrong, was used already, or is too old."


def begin(request: HttpRequest, user: User, next_address: str) -> HttpResponse:
    """Remember for five minutes whose password was right, and ask for the code."""
    request.session.cycle_key()
    request.session[_PENDING] = {"user": user.pk, "at": time.time(), "next": next_address}
    return redirect("console:sign-in-code")


def _pending_user(request: HttpRequest) -> User | None:
    pending = request.session.get(_PENDING)
    if not pending or not 0 <= time.time() - pending["at"] <= PENDING_SECONDS:
        return None
    return User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the authenticator app; sign in when it is right."""
    user = _pending_user(request)
    if user is None:
        return redirect("console:sign-in")
    if request.method != "POST":
        return render(request, "console/sign_in_code.html")
    problem = _try_code(request, user)
    if problem:
        status = 429 if problem == _TOO_MANY else 400
        return render(request, "console/sign_in_code.html", {"problem": problem}, status=status)
    next_address = request.session.pop(_PENDING)["next"]
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    if not url_has_allowed_host_and_scheme(next_address, {request.get_host()}, require_https=request.is_secure()):
        next_address = resolve_url("console:home")
    return redirect(next_address)


@login_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Show whether the user signs in with a second factor."""
    return _page(request)


@login_required
@require_POST
def set_up(request: HttpRequest) -> HttpResponse:
    """Offer a secret; with a right code for it, begin to ask for codes, and show the recovery codes once."""
    user = _user(request)
    if second_factor.is_asked(user):
        return redirect("console:security")
    code = request.POST.get("code")
    if code is None:
        return _page(request, offer=second_factor.offer(user))
    codes = second_factor.confirm(user, code)
    if codes is None:
        return _page(request, offer=second_factor.offer(user), problem=_WRONG, status=400)
    return _page(request, recovery_codes=codes)


@login_required
@require_POST
def take_away(request: HttpRequest) -> HttpResponse:
    """Take the second factor away from somebody who can still give a code."""
    user = _user(request)
    problem = _try_code(request, user)
    if problem:
        return _page(request, problem=problem, status=400)
    second_factor.remove(user)
    messages.success(request, "You sign in with your password alone now.")
    return redirect("console:security")


@login_required
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Give oneself another password, as IAM's ChangePassword does; whoever is signed in elsewhere is so no longer."""
    user = _user(request)
    attempts, address = f"password of {user.get_username()}", request.META.get("REMOTE_ADDR", "")
    if not sign_in_attempts.may_try(attempts, address):
        return _page(request, password_problem=_TOO_MANY_ATTEMPTS, status=429)
    passwords = {"OldPassword": request.POST.get("old", ""), "NewPassword": request.POST.get("new", "")}
    try:
        call(request, "ChangePassword", **passwords)
    except QueryError as error:
        return _page(request, password_problem=told(error), status=error.status)
    sign_in_attempts.take_back(attempts, address)
    user.refresh_from_db(fields=["password"])
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed.")
    return redirect("console:security")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "login_required lets nobody else in"
    return request.user


def _try_code(request: HttpRequest, user: User) -> str:
    """Check the code that was entered and return what is wrong about it."""
    attempts, address = f"code of {user.get_username()}", request.META.get("REMOTE_ADDR", "")
    if not sign_in_attempts.may_try(attempts, address):
        return _TOO_MANY
    if not second_factor.check(user, request.POST.get("code", "")):
        return _WRONG
    sign_in_attempts.take_back(attempts, address)
    return ""


def _page(
    request: HttpRequest,
    *,
    offer: second_factor.Offer | None = None,
    recovery_codes: list[str] | None = None,
    problem: str = "",
    password_problem: str = "",
    status: int = 200,
) -> HttpResponse:
    user = _user(request)
    is_asked = second_factor.is_asked(user)
    context = {
        "is_asked": is_asked,
        "codes_left": second_factor.recovery_codes_left(user) if is_asked else 0,
        "offer": offer,
        "picture": segno.make(offer.address).svg_data_uri(scale=5, border=2) if offer else "",
        "recovery_codes": recovery_codes,
        "problem": problem,
        "password_problem": password_problem,
        "has_password": user.has_usable_password(),
        "is_outside_buckets": True,
    }
    return render(request, "console/security.html", context, status=status)
