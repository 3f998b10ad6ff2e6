"""The WSGI application of the S3 gateway."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.gateway"

application = get_wsgi_application()
