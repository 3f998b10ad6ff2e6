"""The WSGI application of the console."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from objstore_project.forwarding import behind_proxies

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.console"

application = behind_proxies(get_wsgi_application(), settings.OBJSTORE_TRUSTED_PROXIES)
