"""The S3 gateway: no sessions, no admin, no messages, no middleware; a request costs what S3 needs."""

from objstore_project.settings.base import *  # noqa: F403  settings build on each other
from objstore_project.settings.base import LOGGING

ROOT_URLCONF = "objstore_project.urls_s3"
WSGI_APPLICATION = "objstore_project.wsgi_s3.application"

# The endpoint logs each failure once, with its request id.
LOGGING["loggers"]["django.request"]["level"] = "CRITICAL"
