"""The WSGI application of the gateway: S3 and websites go straight to their endpoints, `/-/ready` through Django.

Django's own request and response cost a small GET a quarter of its time and give S3 nothing: its addresses are not
resolved by URL patterns, and keys are bytes, which Django's path is not. Settings, database and apps are Django's.
"""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import DEFAULT_DB_ALIAS, connections

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.gateway"

_django = get_wsgi_application()

# After the set-up, as models are defined by it.
from objstore_project.forwarding import behind_proxies  # noqa: E402
from objstore_project.s3_endpoint.address import bucket_of_host  # noqa: E402
from objstore_project.s3_endpoint.endpoint import serve  # noqa: E402
from objstore_project.s3_endpoint.response import send  # noqa: E402
from objstore_project.share_endpoint import is_share_link, serve_share  # noqa: E402
from objstore_project.stalled_bodies import BodyWatch, watch_bodies  # noqa: E402
from objstore_project.website_endpoint.endpoint import serve as serve_website  # noqa: E402

READINESS_PATH = "/-/ready"


def _answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == READINESS_PATH:
        return _django(environ, start_response)
    connection = connections[DEFAULT_DB_ALIAS]
    connection.close_if_unusable_or_obsolete()
    if bucket_of_host(environ.get("HTTP_HOST", ""), settings.OBJSTORE_WEBSITE_DOMAINS) is not None:
        answer = serve_website(environ)
    elif is_share_link(environ):
        answer = serve_share(environ)
    else:
        answer = serve(environ)
    connection.release()  # type: ignore[attr-defined]  # our engine's
    return send(answer, start_response)


_bodies = BodyWatch(port=settings.OBJSTORE_S3_ADDRESS.port, idle_seconds=settings.OBJSTORE_BODY_IDLE_SECONDS)
application = watch_bodies(behind_proxies(_answer, settings.OBJSTORE_TRUSTED_PROXIES), _bodies)
