"""The gateway's addresses: its readiness, which no bucket can be named like, and S3 for everything else."""

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path

from objstore_project.readiness import ready


def not_implemented(_: HttpRequest) -> HttpResponse:
    """Stand where the S3 endpoint will."""
    return HttpResponse(status=501)


urlpatterns = [
    path("-/ready", ready),
    re_path(r"^(?s:.*)$", not_implemented),
]
