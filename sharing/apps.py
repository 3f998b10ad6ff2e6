"""The Django application of share links."""

from django.apps import AppConfig


class SharingConfig(AppConfig):
    """Register the app under its label."""

    name = "sharing"
