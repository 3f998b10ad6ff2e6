"""The S3 gateway: no sessions, no admin, no messages, no middleware; a request costs what S3 needs."""

from objstore_project.settings.base import *  # noqa: F403  settings build on each other
from objstore_project.settings.base import DATABASES, LOGGING

ROOT_URLCONF = "objstore_project.urls_s3"
WSGI_APPLICATION = "objstore_project.wsgi_s3.application"

# The endpoint logs each failure once, with its request id.
LOGGING["loggers"]["django.request"]["level"] = "CRITICAL"

# Every statement here has an index to go by. One that is prepared while its table is small would be planned as a scan, and
# keep that plan until the table is analysed, long after it has grown.
_options = DATABASES["default"]["OPTIONS"]
_options["options"] = f"{_options.get('options', '')} -c enable_seqscan=off".strip()

# A thread has a connection only while it asks something; see objstore_project/postgresql/idle.py.
DATABASES["default"]["SHARES_CONNECTIONS"] = True
