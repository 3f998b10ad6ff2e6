"""The WSGI application of the console."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from objstore_project.forwarding import behind_proxies
from objstore_project.stalled_bodies import BodyWatch, watch_bodies

os.environ["DJANGO_SETTINGS_MODULE"] = "objstore_project.settings.console"

_bodies = BodyWatch(port=settings.OBJSTORE_CONSOLE_ADDRESS.port, idle_seconds=settings.OBJSTORE_BODY_IDLE_SECONDS)
application = watch_bodies(behind_proxies(get_wsgi_application(), settings.OBJSTORE_TRUSTED_PROXIES), _bodies)
