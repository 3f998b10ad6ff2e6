"""The Django application of events."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Register the app under its label."""

    name = "events"
    default_auto_field = "django.db.models.BigAutoField"
