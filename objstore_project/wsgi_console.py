"""The WSGI application of the console."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.console"

application = get_wsgi_application()
