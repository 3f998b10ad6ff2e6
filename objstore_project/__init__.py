"""The top of the house: settings, URLs, the Celery application, the supervisor behind `manage.py up`."""

from objstore_project.celery import app as celery_app

__all__ = ["celery_app"]
