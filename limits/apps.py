"""The Django application of limits."""

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    """Register the app under its label."""

    name = "limits"
