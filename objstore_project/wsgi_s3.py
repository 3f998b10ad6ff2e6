"""The WSGI application of the S3 gateway.

Django replaces PATH_INFO by text in which "%FF" may have been sent as one byte or as three characters. A key is bytes,
so the path is kept as the server gave it: percent-decoded, as latin-1 text of its bytes (PEP 3333).
"""

import os
from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from django import db
from django.core import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.gateway"

_django = get_wsgi_application()

# The gateway logs no queries and keeps no cache; and it looks after a thread's database connection as a request begins:
# what one request leaves behind is what the next one finds.
request_started.disconnect(db.reset_queries)
request_finished.disconnect(db.close_old_connections)
request_finished.disconnect(cache.close_caches)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request through Django, which finds the path as it was sent in `objstore.path`."""
    environ["objstore.path"] = environ["PATH_INFO"]
    response: Any = _django(environ, start_response)
    if response.streaming:
        answer: Iterable[bytes] = response
        return answer
    # The server sends a list in one step; it would draw the pieces of any other iterable one by one.
    response.close()
    return [response.content]
