"""The Django application of the workers."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """Register the app under its label; it has no models."""

    name = "workers"
