"""The reference of small requests: a Django view that does nothing, served as the gateway is.

`python -m benchmarks.nothing` serves it at OBJSTORE_S3_ADDRESS, by the gateway's own web server: the same granian, the
same number of workers and threads, the same settings but for the URLs.
"""

from __future__ import annotations

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.nothing_settings"

from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

from objstore_project.supervisor import web_server


def do_nothing(request: HttpRequest) -> HttpResponse:
    """Receive the body and answer without one."""
    request.META["wsgi.input"].read()
    return HttpResponse(headers={"Content-Length": "0", "Content-Type": "text/plain"})


urlpatterns = [re_path(r"^(?s:.*)$", do_nothing)]
application = get_wsgi_application()

if __name__ == "__main__":
    web_server.APPLICATIONS["gateway"] = "benchmarks.nothing"
    web_server.serve("gateway")
