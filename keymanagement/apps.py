"""The Django application of key management."""

from django.apps import AppConfig


class KeyManagementConfig(AppConfig):
    """Register the app under its label."""

    name = "keymanagement"
    verbose_name = "Key management"
    default_auto_field = "django.db.models.BigAutoField"
