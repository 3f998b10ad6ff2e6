"""What all views of the JSON API share: a session, its guard against forgery, JSON in and out, errors in one shape."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from accesscontrol.models import User


class View(APIView):
    """A view for signed-in users; what they may see is for each view to decide."""

    authentication_classes = (SessionAuthentication,)
    permission_classes: tuple[type[BasePermission], ...] = (IsAuthenticated,)
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)


class IsOperator(BasePermission):
    """Lets those pass who run the installation: superusers."""

    message = "That is for operators."

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002  the framework's signature
        """Say whether the user is one."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_superuser


class OperatorView(View):
    """A view for operators alone."""

    permission_classes = (IsAuthenticated, IsOperator)
