"""What Django serves at the gateway: its readiness, which no bucket can be named like. The rest is S3 (`wsgi_s3`)."""

from django.urls import path

from objstore_project.readiness import ready

urlpatterns = [
    path("-/ready", ready),
]
