"""The gateway's addresses: its readiness, which no bucket can be named like, and S3 for everything else."""

from django.urls import path, re_path

from objstore_project.readiness import ready
from objstore_project.s3_endpoint.endpoint import serve

urlpatterns = [
    path("-/ready", ready),
    re_path(r"^(?s:.*)$", serve),
]
