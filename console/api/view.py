"""What all views of the JSON API share: a session, its guard against forgery, JSON in and out, errors in one shape."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView


class View(APIView):
    """A view for signed-in users; what they may see is for each view to decide."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAuthenticated,)
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)
