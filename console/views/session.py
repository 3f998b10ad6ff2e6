"""Signing in and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.forms import SignInForm
from console.services import second_factor, sign_in_attempts, single_sign_on
from console.views.second_factor import begin as begin_second_factor


class _Login(auth_views.LoginView):
    """Django's, but for users with a second factor: the right password only leads to the next question."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer single sign-on, where there is a provider."""
        return super().get_context_data(**kwargs, is_sso_offered=single_sign_on.is_offered())

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Ask for the code, or sign in."""
        user = form.get_user()
        if second_factor.is_asked(user):
            return begin_second_factor(self.request, user, self.get_success_url())
        return super().form_valid(form)


_LOGIN = _Login.as_view(template_name="console/sign_in.html", form_class=SignInForm)
_LOGOUT = auth_views.LogoutView.as_view(next_page="console:sign-in")


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's contract for views
    """Lead to the first page."""
    return redirect("console:buckets")


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Ask for name and password, and lead to the page that was wanted."""
    if request.method != "POST":
        return _LOGIN(request)
    name, address = request.POST.get("username", ""), request.META.get("REMOTE_ADDR", "")
    if not sign_in_attempts.may_try(name, address):
        context = {"form": SignInForm(request), "is_throttled": True, "next": request.POST.get("next", "")}
        context["is_sso_offered"] = single_sign_on.is_offered()
        return render(request, "console/sign_in.html", context, status=429)
    response = _LOGIN(request)
    if response.status_code != HTTPStatus.OK:  # not the form again
        sign_in_attempts.take_back(name, address)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    return _LOGOUT(request)
