"""To the OpenID Connect provider and back."""

from __future__ import annotations

import logging

from authlib.integrations.base_client import OAuthError
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe
from joserfc.errors import JoseError
from requests import RequestException

from console.forms import SignInForm
from console.services import single_sign_on

_NEXT = "sso_next"

logger = logging.getLogger("objstore.console")


@require_safe
def begin(request: HttpRequest) -> HttpResponseBase:
    """Send the browser to the provider."""
    _require_offered()
    request.session[_NEXT] = request.GET.get("next", "")
    back = request.build_absolute_uri(reverse("console:sso-back"))
    try:
        return single_sign_on.client().authorize_redirect(request, back)  # type: ignore[no-any-return]
    except (RequestException, OAuthError, KeyError, ValueError) as failure:
        return _refuse(request, "The provider does not answer as it should.", failure, status=502)


@require_safe
def back(request: HttpRequest) -> HttpResponseBase:
    """Take whom the provider sends back, if groups of theirs let them in."""
    _require_offered()
    provider = single_sign_on.client()
    try:
        token = provider.authorize_access_token(request)
        user = single_sign_on.admit(single_sign_on.read_person(provider, token))
    except single_sign_on.NotAdmittedError as reason:
        return _refuse(request, f"You can't be let in: {reason}.", reason, status=403)
    except (OAuthError, JoseError) as failure:
        return _refuse(request, "The provider did not confirm who you are. Try again.", failure, status=400)
    except (RequestException, KeyError, ValueError) as failure:
        return _refuse(request, "The provider does not answer as it should.", failure, status=502)
    next_address = request.session.pop(_NEXT, "")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    if not url_has_allowed_host_and_scheme(next_address, {request.get_host()}, require_https=request.is_secure()):
        next_address = resolve_url("console:home")
    return redirect(next_address)


def _require_offered() -> None:
    if not single_sign_on.is_offered():
        raise Http404("There is no single sign-on here.")


def _refuse(request: HttpRequest, problem: str, cause: Exception, *, status: int) -> HttpResponse:
    logger.warning("single sign-on failed: %s (%s)", problem, cause)
    context = {"form": SignInForm(request), "problem": problem, "is_sso_offered": True}
    return render(request, "console/sign_in.html", context, status=status)
